// Control groups for a daemon in a container that was given none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace buildkit {

// One mount below /sys/fs/cgroup.
struct CgroupMount {
  std::string directory;                  // "cpu,cpuacct"; empty = /sys/fs/cgroup itself
  std::string type;                       // "cgroup2", "cgroup"
  std::string options;                    // "cpu,cpuacct", "none,name=systemd"
  std::vector<std::string> aliases = {};  // further names of the directory: "cpu", "cpuacct"

  friend bool operator==(const CgroupMount&, const CgroupMount&) = default;
};

// True if the text of a /proc/self/mountinfo shows a cgroup filesystem of either version in its usual place.
bool has_cgroups(std::string_view mountinfo);

// The mounts that make the host's hierarchies usable, from the texts of /proc/cgroups and /proc/self/cgroup:
// one of version 2 where the host has no other, else one for each hierarchy of version 1.
std::vector<CgroupMount> plan_cgroups(std::string_view proc_cgroups, std::string_view self_cgroup);

// Mounts them unless there are some already. To be called in private mounts, with which they go away. What
// the kernel refuses is passed over with a message at debug level: the daemon then says what it lacks.
void mount_missing_cgroups();

}  // namespace buildkit
