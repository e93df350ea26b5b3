// One record of CSV, as BuildKit takes its options: github.com/tonistiigi/go-csvvalue, after Go's
// encoding/csv.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace util {

// The fields of a record. Throws Error if a quote is left open or stands inside a field.
std::vector<std::string> parse_csv_record(std::string_view text);

// The fields joined by commas, quoted where they would otherwise be read differently.
std::string csv_record(const std::vector<std::string>& fields);

}  // namespace util
