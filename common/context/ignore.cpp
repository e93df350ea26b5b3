// The rules of moby/patternmatcher and its ignorefile reader.
#include "common/context/ignore.hpp"

#include <algorithm>

#include "common/dockerfile/paths.hpp"
#include "common/dockerfile/text.hpp"
#include "common/sys/bounded_path.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace context {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t longest_line = 65535;

// "a/b/c" gives "a" and "a/b".
template <typename Predicate>
bool any_directory_above(std::string_view path, Predicate&& predicate) {
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    if (predicate(path.substr(0, slash))) return true;
  }
  return false;
}

std::string_view without_trailing_glob(std::string_view pattern) {
  if (pattern.ends_with("/**")) pattern.remove_suffix(3);
  if (pattern.ends_with("/*")) pattern.remove_suffix(2);
  return pattern;
}

}  // namespace

Ignore Ignore::parse(std::string_view text) {
  Ignore ignore;
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  for (const auto& line : util::split(text, '\n')) {
    if (line.size() > longest_line) throw util::Error("a line is longer than 65535 bytes");
    if (line.starts_with('#')) continue;
    std::string_view pattern = dockerfile::trim_space(line);
    const bool is_exception = pattern.starts_with('!');
    if (is_exception) pattern = dockerfile::trim_space(pattern.substr(1));
    std::string cleaned = pattern.empty() ? "" : dockerfile::clean_path(pattern);
    if (cleaned.size() > 1 && cleaned.front() == '/') cleaned.erase(0, 1);
    ignore.add((is_exception ? "!" : "") + cleaned);
  }
  return ignore;
}

Ignore Ignore::from_patterns(const std::vector<std::string>& patterns) {
  Ignore ignore;
  for (const auto& pattern : patterns)
    ignore.add(pattern);
  return ignore;
}

void Ignore::add(std::string_view line) {
  line = dockerfile::trim_space(line);
  if (line.empty()) return;
  std::string pattern = dockerfile::clean_path(line);
  const bool is_exception = pattern.front() == '!';
  if (is_exception) {
    if (pattern.size() == 1) throw util::Error("illegal exclusion pattern: \"!\"");
    pattern.erase(0, 1);
  }
  patterns_.emplace_back(std::move(pattern), is_exception);
}

bool Ignore::has_exceptions() const noexcept {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [](const Pattern& pattern) { return pattern.is_exception(); });
}

Ignore::Verdict Ignore::judge(std::string_view path, const Matches& directory) const {
  Verdict verdict;
  verdict.matches.matched_.resize(patterns_.size());
  const bool has_knowledge = !directory.matched_.empty();
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const Pattern& pattern = patterns_[i];
    bool matched = has_knowledge && directory.matched_[i];
    if (!matched) {
      // A pattern that could not change the verdict is not even looked at, and so not remembered either.
      if (pattern.is_exception() != verdict.ignored) continue;
      matched = pattern.matches(path);
      if (!matched && !has_knowledge) {
        matched = any_directory_above(path, [&](std::string_view above) { return pattern.matches(above); });
      }
    }
    verdict.matches.matched_[i] = matched;
    if (matched) verdict.ignored = !pattern.is_exception();
  }
  return verdict;
}

Ignore::Matches Ignore::matches_above(std::string_view path) const {
  Matches above;
  for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1))
    above = judge(path.substr(0, slash), above).matches;
  return above;
}

bool Ignore::ignores(std::string_view path) const {
  return judge(path, {}).ignored;
}

bool Ignore::ignores_all_below(std::string_view directory) const {
  const std::string below = std::string(directory) + '/';
  return std::none_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
    if (!pattern.is_exception()) return false;
    const std::string_view start = without_trailing_glob(pattern.text());
    return start.find_first_of("*[]?^\\") != std::string_view::npos ||
           (std::string(start) + '/').starts_with(below);
  });
}

bool Ignore::ignores_source(std::string_view source) const {
  if (empty() || has_exceptions()) return false;
  const std::string path = dockerfile::clean_path(source);
  const auto is_everything = [](const Pattern& pattern) {
    return pattern.text() == "*" || pattern.text() == "**" || pattern.text() == "**/*";
  };
  if ((path == "." || path == "/") && std::none_of(patterns_.begin(), patterns_.end(), is_everything)) {
    return false;
  }
  return ignores(path);
}

std::filesystem::path ignore_file_beside(std::filesystem::path dockerfile) {
  dockerfile += ".dockerignore";
  return dockerfile;
}

std::optional<std::filesystem::path> find_ignore_file(const std::filesystem::path& context,
                                                      const std::filesystem::path& dockerfile) {
  if (!dockerfile.empty()) {
    if (auto found = sys::path_within(context, ignore_file_beside(dockerfile))) return found;
  }
  return sys::path_within(context, context / ".dockerignore");
}

Ignore load_ignore(const std::filesystem::path& context, const std::filesystem::path& dockerfile) {
  const auto file = find_ignore_file(context, dockerfile);
  if (!file) return {};
  const std::string text = sys::read_file(*file);
  return util::with_context("'" + file->string() + "'", [&] { return Ignore::parse(text); });
}

}  // namespace context
