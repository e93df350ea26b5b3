// How the state of a stage begins and changes.
#include "common/dockerfile/state.hpp"

#include <algorithm>

#include "common/dockerfile/paths.hpp"

namespace dockerfile {
namespace {

constexpr const char* default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// "NAME=value" as the variable it sets.
void set_entry(Environment& environment, const std::string& entry) {
  const auto equals = entry.find('=');
  environment.set(entry.substr(0, equals), equals == std::string::npos ? "" : entry.substr(equals + 1));
}

}  // namespace

StageState StageState::from_image(const std::vector<std::string>& env, const std::string& working_dir,
                                  const std::vector<std::string>& shell) {
  StageState state;
  state.image_env = env;
  state.shell = shell;
  for (const auto& entry : env)
    set_entry(state.environment, entry);
  if (!state.environment.get("PATH")) state.set_env("PATH", default_path);
  state.working_dir = working_dir;
  if (!working_dir.empty()) state.set_working_dir(working_dir);
  return state;
}

StageState StageState::from_scratch() {
  return from_image({}, "/", {});
}

StageState StageState::from_stage(StageState state) {
  if (state.image_env_last) return state;
  // What the image says comes last, so an ARG that shadowed an ENV does so no longer.
  for (const auto& entry : state.image_env)
    set_entry(state.environment, entry);
  state.image_env_last = true;
  return state;
}

void StageState::set_arg(const std::string& name, const std::string& value) {
  environment.set(name, value);
  image_env_last = false;
}

void StageState::set_env(const std::string& name, const std::string& value) {
  const bool is_new = !environment.get(name);
  environment.set(name, value);
  if (is_new) {
    image_env.push_back(name + '=' + value);
    return;
  }
  image_env_last = false;
  const auto found = std::find_if(image_env.begin(), image_env.end(), [&](const std::string& entry) {
    return entry.starts_with(name) && (entry.size() == name.size() || entry[name.size()] == '=');
  });
  if (found == image_env.end()) {
    image_env.push_back(name + '=' + value);
  } else {
    *found = name + '=' + value;
  }
}

void StageState::set_working_dir(const std::string& path) {
  if (path.starts_with('/')) {
    working_dir = path;
    return;
  }
  const std::string parent = working_dir.starts_with('/') ? working_dir : join_path("/", working_dir);
  working_dir = path.empty() ? parent : join_path(parent, path);
}

}  // namespace dockerfile
