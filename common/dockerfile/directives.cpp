// Reading of parser directives.
#include "common/dockerfile/directives.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "common/dockerfile/source.hpp"
#include "common/dockerfile/text.hpp"

namespace dockerfile {
namespace {

constexpr std::array<std::string_view, 3> directive_names = {"syntax", "escape", "check"};

bool is_ascii_letter(char letter) {
  return is_letter(static_cast<unsigned char>(letter));
}

// "name = value" with a value that is not blank; nothing else may stand before the name.
std::optional<Directive> split(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() &&
         (is_ascii_letter(text[end]) || (end > 0 && text[end] >= '0' && text[end] <= '9'))) {
    ++end;
  }
  const auto equals = text.find_first_not_of(blanks, end);
  if (end == 0 || equals == std::string_view::npos || text[equals] != '=') return std::nullopt;
  std::string_view value = text.substr(equals + 1);
  if (value.empty()) return std::nullopt;
  // A value of blanks alone is the last of them: BuildKit takes it for one, and refuses it as an escape.
  const auto first = value.find_first_not_of(blanks);
  value = first == std::string_view::npos ? value.substr(value.size() - 1)
                                          : value.substr(first, value.find_last_not_of(blanks) - first + 1);
  return Directive{lower(text.substr(0, end)), std::string(value)};
}

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<Directive> find_with(DirectiveParser parser, std::string_view name, std::string_view text,
                                   int skipped_lines) {
  try {
    while (!text.empty()) {
      auto directive = parser.parse(take_line(text));
      if (!directive) return std::nullopt;
      if (directive->name != name) continue;
      directive->line += skipped_lines;
      return directive;
    }
  } catch (const SyntaxError&) {
    // A directive that stands twice is reported where the file is parsed; here only earlier ones count.
  }
  return std::nullopt;
}

std::string_view without_head(std::string_view text, int& skipped_lines) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  skipped_lines = text.starts_with("#!") ? 1 : 0;
  if (skipped_lines > 0) take_line(text);
  return text;
}

}  // namespace

std::optional<Directive> DirectiveParser::parse(std::string_view line) {
  ++line_;
  if (done_) return std::nullopt;
  done_ = true;
  if (!line.starts_with(comment_)) return std::nullopt;
  auto directive = split(trim_left_space(line.substr(comment_.size())));
  if (!directive) return std::nullopt;
  if (std::find(directive_names.begin(), directive_names.end(), directive->name) == directive_names.end()) {
    return std::nullopt;
  }
  done_ = false;
  if (!seen_.insert(directive->name).second) {
    throw SyntaxError("only one " + directive->name + " parser directive can be used");
  }
  directive->line = line_;
  return directive;
}

std::optional<Directive> find_directive(std::string_view name, std::string_view text) {
  int skipped_lines = 0;
  text = without_head(text, skipped_lines);
  return find_with(DirectiveParser(), name, text, skipped_lines);
}

std::optional<Directive> find_syntax(std::string_view text) {
  int skipped_lines = 0;
  text = without_head(text, skipped_lines);
  auto found = find_with(DirectiveParser("#"), "syntax", text, skipped_lines);
  if (!found) found = find_with(DirectiveParser("//"), "syntax", text, skipped_lines);
  if (found) {
    found->value = found->value.substr(0, found->value.find(' '));
    return found;
  }
  if (!trim_left_space(text).starts_with('{')) return std::nullopt;
  const auto object = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("syntax") || !object["syntax"].is_string()) return std::nullopt;
  return Directive{"syntax", object["syntax"].get<std::string>(), skipped_lines + 1};
}

bool is_builtin_syntax(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const auto slash = image.rfind('/');
  const auto tag = image.find(':', slash == std::string_view::npos ? 0 : slash);
  const auto name = image.substr(0, tag);
  for (const std::string_view official : {"docker/dockerfile", "docker/dockerfile-upstream"}) {
    if (!name.ends_with(official)) continue;
    const auto where = name.substr(0, name.size() - official.size());
    if (where.empty() || where.ends_with('/')) return true;
  }
  return false;
}

}  // namespace dockerfile
