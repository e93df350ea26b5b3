// Finding and removing mount points.
#include "common/sandbox/mount_points.hpp"

#include "common/sys/rooted_dir.hpp"
#include "common/util/error.hpp"

namespace sandbox {
namespace {

bool exists(sys::RootedDir& root, const std::string& path) {
  const auto place = root.find(path);
  return place && (place->is_root() || root.status(*place));
}

}  // namespace

bool may_be_covered_in_proc(std::string_view path) noexcept {
  for (const std::string_view name :
       {"cpuinfo", "diskstats", "loadavg", "meminfo", "net/dev", "slabinfo", "stat", "swaps", "uptime",
        "sys/kernel/ns_last_pid", "sys/crypto/fips_enabled"}) {
    if (path.starts_with("/proc/") && path.substr(6) == name) return true;
  }
  return false;
}

MountPoints::MountPoints(std::filesystem::path root, const std::vector<std::string>& targets)
    : root_(std::move(root)) {
  auto rooted = sys::RootedDir::open(root_);
  for (const auto& target : targets) {
    const auto destination = rooted.destination(target);
    for (std::string path = destination ? destination->str() : ""; !path.empty();) {
      if (exists(rooted, path)) break;
      missing_.push_back(path);
      const auto slash = path.rfind('/');
      path.resize(slash == std::string::npos ? 0 : slash);
    }
  }
}

void MountPoints::remove() {
  auto rooted = sys::RootedDir::open(root_);
  for (const auto& path : missing_) {
    const auto place = rooted.find(path);
    if (!place || place->is_root() || place->str() != path) continue;
    const auto status = rooted.status(*place);
    if (!status) continue;
    const bool empty = S_ISDIR(status->st_mode) ? rooted.list(*place).empty() : status->st_size == 0;
    if (empty) rooted.remove(*place);
  }
  rooted.settle();
}

}  // namespace sandbox
