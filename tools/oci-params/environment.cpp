// Access to environment variables by name and by prefix.
#include "tools/oci-params/environment.hpp"

#include <algorithm>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace params {
namespace {

// Names go into documents, and into messages as they are.
bool is_presentable(std::string_view name) {
  const auto is_control = [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; };
  return util::is_utf8(name) && std::none_of(name.begin(), name.end(), is_control);
}

}  // namespace

Environment::Environment(const char* const* variables) {
  for (; *variables != nullptr; ++variables) {
    const std::string_view text = *variables;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables_.try_emplace(std::string(text.substr(0, equals)), text.substr(equals + 1));
  }
}

std::optional<std::string> Environment::value(const std::string& name) const {
  const auto raw = raw_value(name);
  return raw ? std::optional(std::string(util::trim(*raw))) : std::nullopt;
}

std::optional<std::string> Environment::raw_value(const std::string& name) const {
  if (!is_set(name)) return std::nullopt;
  const auto& value = variables_.at(name);
  require_utf8(name, value);
  return value;
}

bool Environment::is_set(const std::string& name) const {
  const auto found = variables_.find(name);
  return found != variables_.end() && !util::trim(found->second).empty();
}

std::vector<Member> Environment::family(std::string_view prefix) const {
  std::vector<Member> members;
  for (auto it = variables_.lower_bound(std::string(prefix)); it != variables_.end(); ++it) {
    const auto& [variable, value] = *it;
    if (!variable.starts_with(prefix)) break;
    if (variable.size() == prefix.size()) {
      throw util::Error(variable + ": a name must follow the prefix; write " + variable + "NAME");
    }
    if (!is_presentable(variable)) {
      throw util::Error("the variable name " + util::quote(variable) + " holds more than text; rename it");
    }
    members.push_back({variable, variable.substr(prefix.size()), value});
  }
  return members;
}

std::vector<std::string> Environment::names() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : variables_)
    names.push_back(name);
  return names;
}

void require_utf8(const std::string& variable, std::string_view value) {
  if (!util::is_utf8(value)) throw util::Error(variable + ": the value is not UTF-8");
}

}  // namespace params
