// Fields and quotes.
#include "common/util/csv.hpp"

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace util {
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

// Taken off the front of `rest`.
std::string take_csv_field(std::string_view& rest) {
  std::string field;
  if (!rest.starts_with('"')) {
    field = rest.substr(0, rest.find(','));
    rest.remove_prefix(field.size());
    if (field.find('"') != std::string::npos)
      throw Error("a quote stands inside a field; quote the whole field, as in \"src=a,b\"");
    return field;
  }
  for (rest.remove_prefix(1); !rest.empty(); rest.remove_prefix(1)) {
    if (rest.front() == '"') {
      rest.remove_prefix(1);
      if (!rest.starts_with('"')) {  // a doubled quote is a quote
        if (!rest.empty() && rest.front() != ',') throw Error("a comma must follow a quoted field");
        return field;
      }
    }
    field += rest.front();
  }
  throw Error("a quote is not closed");
}

}  // namespace

std::vector<std::string> parse_csv_record(std::string_view text) {
  std::vector<std::string> fields;
  for (;;) {
    fields.push_back(take_csv_field(text));
    if (text.empty()) return fields;
    text.remove_prefix(1);
  }
}

std::string csv_record(const std::vector<std::string>& fields) {
  std::vector<std::string> cells;
  for (const auto& field : fields)
    cells.push_back(quoted_where_needed(field));
  return join(cells, ",");
}

}  // namespace util
