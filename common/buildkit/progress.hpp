// What buildctl says while it builds.
#pragma once

#include <string>
#include <string_view>

#include "common/display/screen.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/thread.hpp"

namespace buildkit {

// True for a line that buildctl prints about itself and that says nothing about the build.
bool is_noise(std::string_view line);

// True for what buildctl shows at the end of a step whose program the kernel did not know.
bool is_unknown_program(std::string_view line);

// Tells a screen what a buildctl traces to trace_fd(), and copies what it writes to fd() line by line to our
// stderr, without the noise: at once to a plain screen, else when the build is over. In threads of its own.
class Progress {
public:
  // Begins a part of the screen, which lives longer.
  explicit Progress(display::Screen& screen);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // Waits for the end as well.
  ~Progress();

  int fd() const noexcept { return pipe_.write_end.get(); }
  int trace_fd() const noexcept { return trace_.write_end.get(); }
  // What buildctl itself is to show.
  std::string mode() const { return screen_.mode() == display::Mode::plain ? "plain" : "quiet"; }

  // Why the build failed, as buildctl said at last; empty if it did not. To be asked after finish().
  const std::string& failure() const noexcept { return failure_; }

  // True if that is because the kernel did not know the program of a step. To be asked after finish().
  bool met_unknown_program() const noexcept { return met_unknown_program_; }

  // Gives up both descriptors, waits until their last holder has closed them and everything is copied. Ends
  // the part of the screen. Throws util::Error.
  void finish();

private:
  void copy();
  void follow_trace();
  void end_part();

  display::Screen& screen_;
  sys::Pipe pipe_;
  sys::Pipe trace_;
  std::string failure_;
  bool met_unknown_program_ = false;
  std::string held_back_;  // until the build is over
  sys::Thread copier_;     // the last members: they use the others
  sys::Thread follower_;
};

}  // namespace buildkit
