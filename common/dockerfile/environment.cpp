// Variables by name, and in the order in which they were set.
#include "common/dockerfile/environment.hpp"

#include <algorithm>

namespace dockerfile {

void Environment::set(const std::string& name, const std::string& value) {
  values_.insert_or_assign(name, Value{value, next_place_++});
}

std::optional<std::string_view> Environment::get(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second.text;
}

std::vector<const Environment::Entry*> Environment::in_order() const {
  std::vector<const Entry*> entries;
  entries.reserve(values_.size());
  for (const auto& entry : values_)
    entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const Entry* a, const Entry* b) { return a->second.place < b->second.place; });
  return entries;
}

std::vector<Environment::Variable> Environment::variables() const {
  std::vector<Variable> variables;
  for (const auto* entry : in_order())
    variables.push_back({entry->first, entry->second.text});
  return variables;
}

std::vector<std::string> Environment::names() const {
  std::vector<std::string> names;
  for (const auto* entry : in_order())
    names.push_back(entry->first);
  return names;
}

}  // namespace dockerfile
