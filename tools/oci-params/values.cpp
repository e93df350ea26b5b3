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

}  // namespace params
