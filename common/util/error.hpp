// The one exception of the project: the sentence a person needs and the exit code a script sees.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace util {

// Exit codes of every tool. A child that died by signal n gives 128 + n instead.
enum class ExitCode : int { done = 0, failed = 1, usage = 2 };

// Why something failed, for callers that act on it: they never guess from words or exit codes.
struct Cause {
  enum class Kind {
    failed,     // nothing more is known
    cancelled,  // it was told to end, by a signal or by its caller: never worth a word of its own
    damaged,    // bytes are not what they are said to be, or not well-formed
    refused,    // what was asked for is understood, but beyond a limit or a rule of ours
  };

  Kind kind = Kind::failed;
  std::error_code code = {};  // what the kernel said, if it was the kernel
};

// `what()` is one lower-case sentence without a full stop that names the thing, the reason and, where there
// is one, the fix. It may hold bytes of foreign origin: escape them (util::quote) before they get here.
class Error : public std::runtime_error {
public:
  explicit Error(const std::string& message, ExitCode code = ExitCode::failed)
      : Error(message, static_cast<int>(code)) {}
  Error(const std::string& message, int exit_code, Cause cause = {})
      : std::runtime_error(whole(message)), exit_code_(exit_code), cause_(cause) {}
  Error(const std::string& message, Cause cause)
      : Error(message, static_cast<int>(ExitCode::failed), cause) {}
  Error(const std::string& message, Cause::Kind kind) : Error(message, Cause{.kind = kind}) {}

  int exit_code() const noexcept { return exit_code_; }
  const Cause& cause() const noexcept { return cause_; }
  bool is_cancelled() const noexcept { return cause_.kind == Cause::Kind::cancelled; }
  bool is_damage() const noexcept { return cause_.kind == Cause::Kind::damaged; }

private:
  // what() ends at the first NUL byte, so that one becomes "\\0".
  static std::string whole(const std::string& message);

  int exit_code_;
  Cause cause_;
};

// Throws Error("MESSAGE: strerror(errno)") with errno as its cause. Call it before anything else can change
// errno.
[[noreturn]] void throw_errno(const std::string& message);
// The same for an error number that is not in errno (pthread calls, posix_spawn).
[[noreturn]] void throw_errno(const std::string& message, int error_number);

// Runs `action`; an Error it throws leaves again as "CONTEXT: message" with the same exit code
// and cause.
template <typename Action>
decltype(auto) with_context(std::string_view context, Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (const Error& error) {
    throw Error(std::string(context) + ": " + error.what(), error.exit_code(), error.cause());
  }
}

}  // namespace util
