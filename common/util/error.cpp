// Error construction from errno.
#include "common/util/error.hpp"

#include <cerrno>
#include <system_error>

namespace util {

void throw_errno(const std::string& message) {
  throw_errno(message, errno);
}

void throw_errno(const std::string& message, int error_number) {
  // std::generic_category is thread-safe where strerror is not.
  throw Error(message + ": " + std::generic_category().message(error_number));
}

}  // namespace util
