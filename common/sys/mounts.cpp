// Mount namespaces and /proc/self/mountinfo.
#include "common/sys/mounts.hpp"

#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "common/sys/file.hpp"
#include "common/util/text.hpp"

namespace sys {
namespace {

// mountinfo writes blank, tab, newline and backslash as three octal digits.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace

util::Error unshare_error(const std::string& what) {
  const std::error_code code(errno == ENOSPC ? EUSERS : errno, std::generic_category());
  return {
      "cannot make " + what + ": " +
          (errno == ENOSPC ? "the limit of them (sysctl user.max_*_namespaces) is reached" : code.message()),
      util::Cause{.code = code}};
}

bool enter_private_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) {
    if (errno == EPERM || errno == ENOSYS) return false;
    throw unshare_error("a mount namespace");
  }
  // Slave rather than private: an unmount outside must not leave the filesystem pinned in here.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    util::throw_errno("cannot keep mounts private");
  }
  return true;
}

std::vector<std::filesystem::path> mount_points_below(std::string_view mountinfo,
                                                      const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> points;
  const std::string prefix = directory.string() + "/";
  for (const auto& line : util::split(mountinfo, '\n')) {
    const auto fields = util::split(line, ' ');
    if (fields.size() < 5) continue;
    const auto point = unescape(fields[4]);
    if (point == directory.string() || point.starts_with(prefix)) points.emplace_back(point);
  }
  // Listed in the order of mounting: what was mounted last lies on top.
  std::reverse(points.begin(), points.end());
  return points;
}

void unmount_below(const std::filesystem::path& directory) {
  for (const auto& point : mount_points_below(read_file("/proc/self/mountinfo"), directory)) {
    // EINVAL: it went away together with the mount it was in.
    if (::umount2(point.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT) {
      util::throw_errno("cannot unmount " + util::quote(point.string()));
    }
  }
}

}  // namespace sys
