// The one exception of the project: the sentence a person needs and the exit code a script sees.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace util {

// Exit codes of every tool. A child that died by signal n gives 128 + n instead.
enum class ExitCode : int { done = 0, failed = 1, usage = 2 };

// `what()` is one lower-case sentence without a full stop that names the thing, the reason and, where there
// is one, the fix. It may hold bytes of foreign origin: escape them (util::quote) before they get here.
class Error : public std::runtime_error {
public:
  explicit Error(const std::string& message, ExitCode code = ExitCode::failed)
      : Error(message, static_cast<int>(code)) {}
  Error(const std::string& message, int exit_code) : std::runtime_error(message), exit_code_(exit_code) {}

  int exit_code() const noexcept { return exit_code_; }

private:
  int exit_code_;
};

// Throws Error("MESSAGE: strerror(errno)"). Call it before anything else can change errno.
[[noreturn]] void throw_errno(const std::string& message);
// The same for an error number that is not in errno (pthread calls, posix_spawn).
[[noreturn]] void throw_errno(const std::string& message, int error_number);

// Runs `action`; an Error it throws leaves again as "CONTEXT: message" with the same exit code.
template <typename Action>
decltype(auto) with_context(std::string_view context, Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (const Error& error) {
    throw Error(std::string(context) + ": " + error.what(), error.exit_code());
  }
}

}  // namespace util
