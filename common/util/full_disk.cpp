// The error numbers of full disks.
#include "common/util/full_disk.hpp"

#include <cerrno>
#include <system_error>

namespace util {

bool is_full_disk(const Error& error) noexcept {
  const auto& code = error.cause().code;
  return code == std::errc::no_space_on_device || code == std::error_code(EDQUOT, std::generic_category());
}

}  // namespace util
