// What a step has, whatever the isolation: its files, its environment, its program.
#pragma once

#include <string>
#include <vector>

#include "common/sandbox/sandbox.hpp"
#include "common/sandbox/user.hpp"

namespace sandbox {

// The content of the step's /etc/hosts and /etc/resolv.conf.
std::string hosts_file(const Spec& spec);
std::string resolv_conf_file(const Spec& spec);

// Where something is mounted for a step, as far as BuildKit cleans it up: /proc, /dev and /sys stay when a
// root had none.
std::vector<std::string> mount_targets(const Spec& spec);

// The step's, with HOME. Throws StartError for a variable without a name.
std::vector<std::string> environment_of(const Spec& spec, const User& user);

// The paths at which a program is looked for, in order.
std::vector<std::string> candidates(const std::string& program, const std::vector<std::string>& env);

// As execve(2) takes them, as long as `strings` live.
std::vector<char*> pointers(const std::vector<std::string>& strings);

}  // namespace sandbox
