// Parsing of header fields.
#include "common/http/headers.hpp"

#include <algorithm>

#include "common/http/curl.hpp"
#include "common/util/characters.hpp"
#include "common/util/text.hpp"

namespace http {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), util::to_lower);
  return result;
}

// A cursor over the grammar's small pieces.
class Scanner {
public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  bool skip(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void skip_blanks() {
    while (skip(' ') || skip('\t')) {}
  }

  void skip_blanks_and_commas() {
    while (skip(' ') || skip('\t') || skip(',')) {}
  }

  void skip_byte() { rest_.remove_prefix(1); }

  // RFC 9110, 5.6.2; also what a token68 is made of, but for its '=' at the end and '/'.
  std::string_view token() {
    static constexpr std::string_view others = "!#$%&'*+-.^_`|~/";
    const auto end = std::find_if(rest_.begin(), rest_.end(), [](char c) {
      return !util::is_alnum(c) && others.find(c) == std::string_view::npos;
    });
    const auto found = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(found.size());
    return found;
  }

  // After the opening quote; an unclosed string ends with the text.
  std::string quoted_string() {
    std::string value;
    while (!rest_.empty() && !skip('"')) {
      skip('\\');
      if (rest_.empty()) break;
      value += rest_.front();
      rest_.remove_prefix(1);
    }
    return value;
  }

  // What may stand unquoted though the grammar does not allow it, as in realm=https://example.com/token.
  std::string bare_value() {
    const auto end = std::min(rest_.find_first_of(", \t"), rest_.size());
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return value;
  }

private:
  std::string_view rest_;
};

}  // namespace

void Headers::add(std::string_view name, std::string_view value) {
  fields_.push_back({std::string(util::trim(name)), std::string(util::trim(value))});
}

std::optional<std::string> Headers::find(std::string_view name) const {
  for (const auto& field : fields_) {
    if (util::equal_without_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::vector<std::string> Headers::find_all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& field : fields_) {
    if (util::equal_without_case(field.name, name)) values.push_back(field.value);
  }
  return values;
}

std::vector<Challenge> parse_challenges(std::string_view value) {
  std::vector<Challenge> challenges;
  Scanner scanner(value);
  for (scanner.skip_blanks_and_commas(); !scanner.at_end(); scanner.skip_blanks_and_commas()) {
    const auto name = lower(scanner.token());
    if (name.empty()) {
      scanner.skip_byte();
      continue;
    }
    scanner.skip_blanks();
    if (!scanner.skip('=')) {
      challenges.push_back({name, {}});
      continue;
    }
    // A parameter, or the padding of a token68, which no scheme here has a use for.
    scanner.skip_blanks();
    auto parameter = scanner.skip('"') ? scanner.quoted_string() : scanner.bare_value();
    if (!challenges.empty()) challenges.back().parameters.emplace(name, std::move(parameter));
  }
  return challenges;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value,
                                                      std::chrono::system_clock::time_point now) {
  constexpr std::uint64_t longest = 366 * 24 * 3600;  // more is no time to wait for anyway
  const auto text = util::trim(value);
  if (const auto seconds = util::parse_uint(text)) {
    return std::chrono::seconds(std::min(*seconds, longest));
  }
  const auto date = curl().getdate(std::string(text).c_str(), nullptr);
  if (date < 0) return std::nullopt;
  const auto wait = date - std::chrono::system_clock::to_time_t(now);
  return std::chrono::seconds(std::clamp<std::int64_t>(wait, 0, longest));
}

std::optional<std::uint64_t> parse_content_range_start(std::string_view value) {
  auto text = util::trim(value);
  if (!util::equal_without_case(text.substr(0, 5), "bytes")) return std::nullopt;
  text = util::trim(text.substr(5));
  return util::parse_uint(text.substr(0, std::min(text.find('-'), text.size())));
}

}  // namespace http
