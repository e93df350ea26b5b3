// Parsing of the small grammars.
#include "tools/oci-params/values.hpp"

#include <algorithm>
#include <array>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace params {
namespace {

template <std::size_t Count>
bool is_one_of(std::string_view word, const std::array<std::string_view, Count>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// One field of a CSV line, taken off the front of `rest`.
std::string take_field(std::string_view& rest) {
  std::string field;
  if (!rest.starts_with('"')) {
    field = rest.substr(0, rest.find(','));
    rest.remove_prefix(field.size());
    if (field.find('"') != std::string::npos) {
      throw util::Error("a quote stands inside a field; quote the whole field, as in \"src=a,b\"");
    }
    return field;
  }
  for (rest.remove_prefix(1); !rest.empty(); rest.remove_prefix(1)) {
    if (rest.front() == '"') {
      rest.remove_prefix(1);
      if (!rest.starts_with('"')) {  // a doubled quote is a quote
        if (!rest.empty() && rest.front() != ',') throw util::Error("a comma must follow a quoted field");
        return field;
      }
    }
    field += rest.front();
  }
  throw util::Error("a quote is not closed");
}

}  // namespace

std::optional<bool> read_boolean(const Environment& environment, const std::string& name) {
  constexpr std::array<std::string_view, 6> yes = {"true", "1", "t", "T", "True", "TRUE"};
  constexpr std::array<std::string_view, 6> no = {"false", "0", "f", "F", "False", "FALSE"};
  const auto value = environment.value(name);
  if (!value) return std::nullopt;
  if (is_one_of(*value, yes)) return true;
  if (is_one_of(*value, no)) return false;
  throw util::Error(name + ": " + util::quote(*value) + " is neither true nor false; use 'true' or 'false'");
}

std::vector<std::string> split_list(std::string_view text, std::string_view separators) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(separators), text.size());
    const auto piece = util::trim(text.substr(0, end));
    if (!piece.empty()) pieces.emplace_back(piece);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return pieces;
}

std::optional<std::pair<std::string, std::string>> split_pair(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const auto name = util::trim(text.substr(0, equals));
  if (name.empty()) return std::nullopt;
  return std::pair(std::string(name), std::string(util::trim(text.substr(equals + 1))));
}

std::vector<std::pair<std::string, std::string>> split_attributes(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> attributes;
  for (;;) {
    const auto field = take_field(text);
    const auto equals = std::min(field.find('='), field.size());
    attributes.emplace_back(field.substr(0, equals), field.substr(std::min(equals + 1, field.size())));
    if (text.empty()) return attributes;
    text.remove_prefix(1);
  }
}

std::optional<std::string> attribute(const std::vector<std::pair<std::string, std::string>>& attributes,
                                     std::string_view name) {
  const auto found = std::find_if(attributes.rbegin(), attributes.rend(),
                                  [&](const auto& candidate) { return candidate.first == name; });
  return found == attributes.rend() ? std::nullopt : std::optional(found->second);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const auto nearest = util::nearest(word, candidates);
  return nearest ? "; did you mean " + util::quote(*nearest) + "?" : "";
}

}  // namespace params
