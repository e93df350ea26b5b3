// Messages for people, on stderr: "oci-solve: message". Data never goes here, secrets never either.
#pragma once

#include <functional>
#include <string_view>

namespace util::log {

enum class Level { error, warning, info, debug };

// The name in front of every message, and the least important level that is still shown (default: info).
// Not thread-safe: called once, before threads exist.
void set_program(std::string_view name);
void set_level(Level level);
bool shows(Level level);

// One line each, written with a single write(2) so that lines of several processes never mix. Line breaks
// inside `message` start a new line with the same prefix. Colour only when stderr is a terminal and NO_COLOR
// is unset or empty. Warnings and errors say so after the program's name.
void error(std::string_view message);
void warning(std::string_view message);
void info(std::string_view message);
void debug(std::string_view message);

// All of `text` as it is, or less where nobody reads any more: that is no reason to stop working.
void write_to_stderr(std::string_view text) noexcept;

// While it lives messages go to `write`, whole lines, and not to stderr. One at a time.
class Diversion {
public:
  explicit Diversion(std::function<void(std::string_view)> write);
  Diversion(const Diversion&) = delete;
  Diversion& operator=(const Diversion&) = delete;
  ~Diversion();
};

}  // namespace util::log
