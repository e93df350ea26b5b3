// What a step has, whatever the isolation.
#include "common/sandbox/step_parts.hpp"

#include <optional>

#include "common/sandbox/resolv_conf.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

std::optional<std::string> variable(const std::vector<std::string>& env, const std::string& name) {
  std::optional<std::string> value;
  for (const auto& entry : env) {
    if (entry.starts_with(name + "=")) value = entry.substr(name.size() + 1);
  }
  return value;
}

}  // namespace

std::string hosts_file(const Spec& spec) {
  std::string text =
      "127.0.0.1\tlocalhost " + spec.hostname + "\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  for (const auto& line : spec.hosts)
    text += line + "\n";
  return text;
}

std::string resolv_conf_file(const Spec& spec) {
  return resolv_conf_for_steps(spec.network == Network::host ? Nameservers::all : Nameservers::reachable);
}

std::vector<std::string> mount_targets(const Spec& spec) {
  std::vector<std::string> targets = {"/etc/resolv.conf", "/etc/hosts"};
  for (const auto& bind : spec.binds)
    targets.push_back(bind.target);
  for (const auto& tmpfs : spec.tmpfs)
    targets.push_back(tmpfs.target);
  for (const auto& file : spec.files)
    targets.push_back(file.target);
  return targets;
}

std::vector<std::string> environment_of(const Spec& spec, const User& user) {
  std::vector<std::string> env = spec.env;
  if (!variable(env, "HOME")) env.push_back("HOME=" + user.home);
  for (const auto& entry : env) {
    if (entry.starts_with('=')) throw StartError("the name of an environment variable cannot be empty");
  }
  return env;
}

std::vector<std::string> candidates(const std::string& program, const std::vector<std::string>& env) {
  if (program.find('/') != std::string::npos) return {program};
  std::vector<std::string> paths;
  for (const auto& directory : util::split(variable(env, "PATH").value_or(""), ':')) {
    paths.push_back((directory.empty() ? "." : directory) + "/" + program);
  }
  return paths;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (const auto& string : strings)
    list.push_back(const_cast<char*>(string.c_str()));
  list.push_back(nullptr);
  return list;
}

}  // namespace sandbox
