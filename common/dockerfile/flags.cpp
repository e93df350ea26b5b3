// Judging of flags.
#include "common/dockerfile/flags.hpp"

#include <algorithm>

#include "common/dockerfile/source.hpp"
#include "common/dockerfile/text.hpp"

namespace dockerfile {
namespace {

std::string boolean_value(const std::string& flag, const std::optional<std::string>& value) {
  if (!value) return "true";
  if (value->empty()) throw SyntaxError("missing a value on flag: " + flag, flag);
  const std::string word = lower(*value);
  if (word != "true" && word != "false") {
    throw SyntaxError("expecting boolean value for flag " + flag + ", not: " + *value, flag);
  }
  return word;
}

}  // namespace

Flags::Flags(const std::vector<Known>& known, const std::vector<std::string>& given) {
  for (const auto& word : given) {
    const auto equals = word.find('=');
    const std::string flag = word.substr(0, equals);
    const std::string name = flag.substr(2);
    std::optional<std::string> value;
    if (equals != std::string::npos) value = word.substr(equals + 1);

    const auto found =
        std::find_if(known.begin(), known.end(), [&](const Known& each) { return each.name == name; });
    if (found == known.end()) {
      std::vector<std::string> names;
      for (const auto& each : known)
        names.emplace_back(each.name);
      throw SyntaxError("unknown flag: " + flag + did_you_mean(name, names), flag);
    }
    auto& values = values_[name];
    if (!values.empty() && found->kind != Kind::list) {
      throw SyntaxError("duplicate flag specified: " + flag, flag);
    }
    if (found->kind == Kind::boolean) {
      values.push_back(boolean_value(flag, value));
    } else {
      if (!value) throw SyntaxError("missing a value on flag: " + flag, flag);
      values.push_back(*value);
    }
  }
}

std::string Flags::text(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? "" : found->second.front();
}

std::vector<std::string> Flags::list(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::optional<bool> Flags::boolean(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second.front() == "true";
}

}  // namespace dockerfile
