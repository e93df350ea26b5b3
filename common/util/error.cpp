// Error construction from errno.
#include "common/util/error.hpp"

#include <cerrno>
#include <system_error>

namespace util {

std::string Error::whole(const std::string& message) {
  std::string text = message;
  for (auto at = text.find('\0'); at != std::string::npos; at = text.find('\0', at))
    text.replace(at, 1, "\\0");
  return text;
}

void throw_errno(const std::string& message) {
  throw_errno(message, errno);
}

void throw_errno(const std::string& message, int error_number) {
  // std::generic_category is thread-safe where strerror is not.
  const std::error_code code(error_number, std::generic_category());
  throw Error(message + ": " + code.message(), Cause{.code = code});
}

}  // namespace util
