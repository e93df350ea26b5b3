// Fields with a name.
#include "common/document/attributes.hpp"

#include <algorithm>

#include "common/util/csv.hpp"

namespace document {

Attributes Attributes::parse(std::string_view text) {
  Attributes attributes;
  if (!text.empty()) attributes.fields_ = util::parse_csv_record(text);
  return attributes;
}

std::optional<std::string> Attributes::value(std::string_view name) const {
  auto all = values();
  const auto found = all.find(std::string(name));
  return found == all.end() ? std::nullopt : std::optional(std::move(found->second));
}

std::map<std::string, std::string> Attributes::values() const {
  std::map<std::string, std::string> values;
  for (const auto& field : fields_) {
    const auto equals = std::min(field.find('='), field.size());
    values.insert_or_assign(field.substr(0, equals), field.substr(std::min(equals + 1, field.size())));
  }
  return values;
}

std::string Attributes::str() const {
  return util::csv_record(fields_);
}

}  // namespace document
