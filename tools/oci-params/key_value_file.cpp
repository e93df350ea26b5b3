// Parsing of "name=value" lines.
#include "tools/oci-params/key_value_file.hpp"

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace params {
namespace {

[[noreturn]] void fail(std::size_t line, const std::string& reason) {
  throw util::Error("line " + std::to_string(line) + ": " + reason);
}

}  // namespace

std::vector<NamedValue> parse_key_values(std::string_view text) {
  // A byte order mark would become part of the first name.
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::vector<NamedValue> entries;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (util::trim(line).empty()) continue;
    // The line may be a secret that slipped in, so only what stands before a '=' is ever shown.
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) fail(number, "there is no '='; write name=value");
    const auto name = util::trim(line.substr(0, equals));
    if (name.empty()) fail(number, "there is no name before '='; write name=value");
    entries.push_back({std::string(name), std::string(line.substr(equals + 1)), number});
  }
  return entries;
}

}  // namespace params
