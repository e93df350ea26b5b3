// What a step sees of mounts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

// What stands for a mount in the root of a step.
struct StepMount {
  enum class Kind { bind, tmpfs, memory_file };

  Kind kind = Kind::bind;
  std::string target;  // absolute
  bool read_only = false;
  std::optional<std::uint64_t> size = {};  // of a tmpfs
  bool runs = false;                       // a file that can be executed
};

// The lines of /proc/PID/mountinfo, given those of this machine, for a step whose root is the plain directory
// `root`: the mount that holds it is the one on "/", those in /proc, /dev and /sys are as they are, what
// stands for `mounts` follows with the options that it would have as a mount, and others are not seen.
std::string step_mount_info(std::string_view text, const std::string& root,
                            const std::vector<StepMount>& mounts = {});

// The same in the form of /proc/PID/mounts.
std::string step_mounts(std::string_view text, const std::string& root,
                        const std::vector<StepMount>& mounts = {});

}  // namespace sandbox
