// A trial node.
#include "common/sandbox/device_guard.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "common/sys/fd.hpp"
#include "common/sys/temp_dir.hpp"

namespace sandbox {

bool devices_are_guarded(const std::filesystem::path& directory) {
  const sys::TempDir trial(directory, "device-");
  const auto node = trial.path() / "device";
  // No driver has this number any more, so that opening it has no effect.
  if (::mknod(node.c_str(), S_IFCHR | 0600, ::makedev(1, 2)) != 0) return errno == EPERM;
  const sys::UniqueFd fd(::open(node.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return !fd && errno == EPERM;
}

}  // namespace sandbox
