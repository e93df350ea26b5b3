// Cgroup hierarchies of the host (cgroups(7)).
#include "common/buildkit/cgroups.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <tuple>

#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace buildkit {
namespace {

const std::filesystem::path cgroup_root = "/sys/fs/cgroup";
constexpr unsigned long mount_flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

bool mount_at(const std::filesystem::path& directory, const std::string& type, const std::string& options) {
  std::ignore = ::mkdir(directory.c_str(), 0755);  // it may be there; mount(2) says what is wrong
  if (::mount(type.c_str(), directory.c_str(), type.c_str(), mount_flags, options.c_str()) == 0) return true;
  util::log::debug("cannot mount " + type + " (" + options + ") at " + directory.string() + ": " +
                   std::strerror(errno));
  return false;
}

// The controllers that /proc/cgroups lists as enabled.
std::vector<std::string> enabled_controllers(std::string_view proc_cgroups) {
  std::vector<std::string> controllers;
  for (const auto& line : util::split(proc_cgroups, '\n')) {
    const auto fields = util::split(line, '\t');  // name, hierarchy, number of cgroups, enabled
    if (fields.size() == 4 && !fields[0].starts_with('#') && fields[3] == "1")
      controllers.emplace_back(fields[0]);
  }
  return controllers;
}

}  // namespace

bool has_cgroups(std::string_view mountinfo) {
  for (const auto& line : util::split(mountinfo, '\n')) {
    const auto fields = util::split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 5 || fields.end() - dash < 2) continue;
    const auto& type = *(dash + 1);
    const std::filesystem::path point = fields[4];
    const bool in_place = point == cgroup_root || point.parent_path() == cgroup_root;
    if (in_place && (type == "cgroup" || type == "cgroup2")) return true;
  }
  return false;
}

std::vector<CgroupMount> plan_cgroups(std::string_view proc_cgroups, std::string_view self_cgroup) {
  std::vector<CgroupMount> mounts;
  std::set<std::string> planned;
  for (const auto& line : util::split(self_cgroup, '\n')) {
    const auto fields = util::split(line, ':');  // hierarchy, its controllers, our place in it
    if (fields.size() < 3 || fields[0] == "0") continue;
    const std::string controllers(fields[1]);
    if (controllers.starts_with("name=")) {
      mounts.push_back(
          {.directory = controllers.substr(5), .type = "cgroup", .options = "none," + controllers});
      continue;
    }
    CgroupMount mount{.directory = controllers, .type = "cgroup", .options = controllers};
    for (const auto& controller : util::split(controllers, ',')) {
      planned.emplace(controller);
      if (controller != controllers) mount.aliases.emplace_back(controller);
    }
    mounts.push_back(std::move(mount));
  }
  if (mounts.empty()) return {{.directory = "", .type = "cgroup2", .options = ""}};

  // Enabled and in no hierarchy yet: mounting makes one.
  for (const auto& controller : enabled_controllers(proc_cgroups)) {
    if (!planned.contains(controller)) {
      mounts.push_back({.directory = controller, .type = "cgroup", .options = controller});
    }
  }
  return mounts;
}

void mount_missing_cgroups() {
  if (has_cgroups(sys::read_file("/proc/self/mountinfo"))) return;
  const auto mounts = plan_cgroups(sys::read_file("/proc/cgroups"), sys::read_file("/proc/self/cgroup"));
  util::log::debug("no cgroups are mounted: mounting " + std::to_string(mounts.size()) + " of them");
  const bool version_2 = mounts.front().directory.empty();
  if (!version_2 && !mount_at(cgroup_root, "tmpfs", "mode=0755")) return;
  for (const auto& mount : mounts) {
    if (!mount_at(cgroup_root / mount.directory, mount.type, mount.options)) continue;
    for (const auto& alias : mount.aliases) {
      std::ignore = ::symlink(mount.directory.c_str(), (cgroup_root / alias).c_str());
    }
  }
}

}  // namespace buildkit
