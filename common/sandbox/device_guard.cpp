// Trial nodes.
#include "common/sandbox/device_guard.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdio>

#include "common/sys/paths.hpp"
#include "common/util/error.hpp"

namespace sandbox {
namespace {

namespace fs = std::filesystem;

// What runc lets every container open, and two devices that do nothing for a process without capabilities in
// the namespace they belong to: tun (runc's list until 1.2) and fuse (Concourse gives it to every task).
bool is_usual(mode_t type, unsigned major, unsigned minor) {
  if (type != S_IFCHR) return false;
  switch (major) {
    case 1:
      return minor == 3 || minor == 5 || minor == 7 || minor == 8 || minor == 9;
    case 5:
      return minor <= 2;
    case 10:
      return minor == 200 || minor == 229;
    default:
      return major >= 136 && major <= 143;  // pseudo terminals open on their own filesystem alone
  }
}

// Asks the device cgroup without opening the device, as opening may have effects: access(2) asks for all that
// open(2) asks for, except the driver.
bool may_open(const fs::path& node, mode_t type, dev_t device) {
  // A cgroup may refuse to make what it allows to open.
  if (::mknod(node.c_str(), type | 0600, device) != 0) return true;
  const bool may = ::access(node.c_str(), R_OK) == 0 || ::access(node.c_str(), W_OK) == 0;
  ::unlink(node.c_str());
  return may;
}

// `list` is a directory of /sys/dev, which has an entry MAJOR:MINOR for each device of the machine. Where it
// cannot be read, nobody knows.
bool only_usual(const fs::path& list, mode_t type, const fs::path& node) try {
  for (const auto& entry : sys::entries_of(list)) {
    unsigned major = 0;
    unsigned minor = 0;
    if (std::sscanf(entry.filename().c_str(), "%u:%u", &major, &minor) != 2) return false;
    if (!is_usual(type, major, minor) && may_open(node, type, ::makedev(major, minor))) return false;
  }
  return true;
} catch (const util::Error&) {
  return false;
}

}  // namespace

bool devices_are_guarded(const fs::path& directory) {
  const auto node = directory / "device";
  // Who may make none at all learns nothing from refusals, and nodes come with what others have left.
  if (::mknod(node.c_str(), S_IFCHR | 0600, ::makedev(1, 3)) != 0) return false;
  ::unlink(node.c_str());
  // No driver has this number any more: where even this one may be opened, nothing guards.
  if (may_open(node, S_IFCHR, ::makedev(1, 2))) return false;
  return only_usual("/sys/dev/block", S_IFBLK, node) && only_usual("/sys/dev/char", S_IFCHR, node);
}

}  // namespace sandbox
