// CSV as github.com/tonistiigi/go-csvvalue reads it.
#include "common/buildkit/csv.hpp"

#include "common/util/text.hpp"

namespace buildkit {
namespace {

std::string quoted_where_needed(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::string csv_record(const std::vector<std::string>& fields) {
  std::vector<std::string> cells;
  for (const auto& field : fields)
    cells.push_back(quoted_where_needed(field));
  return util::join(cells, ",");
}

}  // namespace buildkit
