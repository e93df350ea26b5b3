// SIGTERM, SIGINT and SIGHUP as an event: whatever is under way unwinds, so that every owner cleans up.
#pragma once

#include <stop_token>

namespace sys::stop {

// Turns the three signals into a request to stop, for the rest of the process. A second signal of the same
// kind does nothing new: clean-up is never cut short. SIGPIPE is ignored, so that writes report EPIPE. Called
// once, by cli::run_tool. Children get the default dispositions back (sys::start does it).
void install();

// The signal that asked to stop, 0 if none did.
int requested() noexcept;

// Throws util::Error with exit code 128 + signal if a stop was requested. Long loops call it between steps.
void check();

// The same for work that its caller may call off as well: throws util::Error too once `cancel` asks to stop.
void check(const std::stop_token& cancel);

// Readable once a stop was requested, for poll(2). -1 before install().
int fd() noexcept;

}  // namespace sys::stop
