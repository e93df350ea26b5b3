// Reading of URLs as far as ADD needs them.
#include "common/dockerfile/remote.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "common/dockerfile/paths.hpp"
#include "common/dockerfile/source.hpp"
#include "common/dockerfile/text.hpp"
#include "common/util/text.hpp"

namespace dockerfile {
namespace {

struct Url {
  std::string scheme;
  std::string address;  // all before query and fragment, the scheme in lower case
  std::string path;     // decoded
  std::string query;
  std::string fragment;  // decoded
};

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char low = static_cast<char>(digit | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

enum class Plus { itself, blank };

// Nothing if a '%' is not followed by two digits.
std::optional<std::string> percent_decoded(std::string_view text, Plus plus = Plus::itself) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::blank) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high << 4 | low);
      i += 2;
    }
  }
  return decoded;
}

// "a?b#c" into "a", "b", "c"; what is missing is empty.
std::vector<std::string> split_address(std::string_view text) {
  const auto hash = std::min(text.find('#'), text.size());
  const auto mark = std::min(text.find('?'), hash);
  const std::string_view query = mark < hash ? text.substr(mark + 1, hash - mark - 1) : std::string_view();
  const std::string_view fragment = hash < text.size() ? text.substr(hash + 1) : std::string_view();
  return {std::string(text.substr(0, mark)), std::string(query), std::string(fragment)};
}

bool is_host_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x80 && (is_letter(byte) || is_digit(byte) || c == '-' || c == '.');
}

// "user@host:path": what ssh users write.
std::optional<Url> parse_scp_style(const std::string& source) {
  const auto at = source.find('@');
  if (at == std::string::npos || at == 0) return std::nullopt;
  const auto colon = source.find(':', at);
  if (colon == std::string::npos || colon == at + 1) return std::nullopt;
  const auto is_user_character = [](char c) { return (is_host_character(c) && c != '.') || c == '_'; };
  const std::string_view user = std::string_view(source).substr(0, at);
  const std::string_view host = std::string_view(source).substr(at + 1, colon - at - 1);
  if (!std::all_of(user.begin(), user.end(), is_user_character)) return std::nullopt;
  if (!std::all_of(host.begin(), host.end(), is_host_character)) return std::nullopt;
  auto parts = split_address(source);
  return Url{"ssh", parts[0], parts[0].substr(std::min(colon + 1, parts[0].size())), parts[1], parts[2]};
}

std::optional<Url> parse_url(const std::string& source) {
  const auto end = source.find("://");
  if (end == std::string::npos) return parse_scp_style(source);
  const std::string scheme = lower(source.substr(0, end));
  if (scheme != "http" && scheme != "https" && scheme != "ssh" && scheme != "git") return std::nullopt;
  const auto parts = split_address(std::string_view(source).substr(end + 3));
  const auto slash = std::min(parts[0].find('/'), parts[0].size());
  const auto path = percent_decoded(std::string_view(parts[0]).substr(slash));
  const auto fragment = percent_decoded(parts[2]);
  if (!path || !fragment) return std::nullopt;
  return Url{scheme, scheme + "://" + parts[0], *path, parts[1], *fragment};
}

// The last value of each name; a pair that is malformed does not count.
std::map<std::string, std::vector<std::string>> parse_query(const std::string& query) {
  std::map<std::string, std::vector<std::string>> values;
  if (query.empty()) return values;
  for (const auto& pair : util::split(query, '&')) {
    if (pair.empty() || pair.find(';') != std::string::npos) continue;
    const auto equals = pair.find('=');
    const auto name = percent_decoded(pair.substr(0, equals), Plus::blank);
    const auto value =
        percent_decoded(equals == std::string::npos ? "" : pair.substr(equals + 1), Plus::blank);
    if (name && value) values[*name].push_back(*value);
  }
  return values;
}

bool switch_value(const std::string& name, const std::string& value) {
  if (value.empty()) return true;
  const auto parsed = util::parse_bool(value);
  if (!parsed) throw SyntaxError("invalid " + name + " value: " + in_quotes(value), value);
  return *parsed;
}

void set_once(std::string& place, const std::string& name, const std::string& value) {
  if (!place.empty() && place != value) {
    throw SyntaxError(name + " conflicts: " + in_quotes(place) + " vs " + in_quotes(value), value);
  }
  place = value;
}

std::string with_prefix(const std::string& prefix, const std::string& name) {
  return name.starts_with(prefix) ? name : prefix + name;
}

void apply_query(GitSource& git, const std::string& query) {
  std::string tag;
  std::string branch;
  for (const auto& [name, values] : parse_query(query)) {
    if (values.size() > 1) throw SyntaxError("query " + in_quotes(name) + " has multiple values", name);
    const std::string& value = values.front();
    const bool is_switch = name == "submodules" || name == "keep-git-dir" || name == "fetch-by-commit";
    if (value.empty() && !is_switch) {
      throw SyntaxError("query " + in_quotes(name) + " has no value", name);
    }
    if (name == "ref") {
      set_once(git.ref, "ref", value);
    } else if (name == "tag") {
      tag = with_prefix("refs/tags/", value);
    } else if (name == "branch") {
      branch = with_prefix("refs/heads/", value);
    } else if (name == "subdir") {
      set_once(git.subdir, "subdir", value);
    } else if (name == "checksum" || name == "commit") {
      git.checksum = value;
    } else if (name == "keep-git-dir") {
      git.keep_git_dir = switch_value(name, value);
    } else if (name == "submodules") {
      git.submodules = switch_value(name, value);
    } else if (name == "fetch-by-commit") {
      git.fetch_by_commit = switch_value(name, value);
    } else if (name == "mtime") {
      if (value != "checkout" && value != "commit") {
        throw SyntaxError(
            "invalid mtime value: " + in_quotes(value) + " (must be \"checkout\" or \"commit\")", value);
      }
      git.commit_times = value == "commit";
    } else {
      throw SyntaxError("unexpected query " + in_quotes(name), name);
    }
  }
  if (!tag.empty()) set_once(git.ref, "ref", tag);
  if (branch.empty()) return;
  if (!tag.empty()) throw SyntaxError("branch conflicts with tag", "branch");
  set_once(git.ref, "ref", branch);
}

}  // namespace

RemoteSource parse_remote(const std::string& source) {
  const auto url = parse_url(source);
  const bool is_http = source.starts_with("http://") || source.starts_with("https://");
  const bool is_git =
      url && ((url->scheme != "http" && url->scheme != "https") || url->path.ends_with(".git"));
  if (is_git) {
    GitSource git;
    git.remote = url->address;
    const auto colon = url->fragment.find(':');
    git.ref = url->fragment.substr(0, colon);
    if (colon != std::string::npos) {
      git.subdir = join_path("/", url->fragment.substr(colon + 1)).substr(1);
    }
    apply_query(git, url->query);
    return git;
  }
  if (!is_http) return {};
  std::string name = url ? base_name(url->path) : ".";
  if (name == "." || name == "/") name = "__unnamed__";
  return UrlSource{source, std::move(name)};
}

std::string without_login(const std::string& remote) {
  const auto begin = remote.find("://");
  if (begin == std::string::npos) return remote;
  const auto whole = std::string_view(remote).substr(begin + 3, remote.find('/', begin + 3) - begin - 3);
  const auto at = whole.rfind('@');
  if (at == std::string_view::npos || at == 0) return remote;
  const bool has_password = whole.substr(0, at).find(':') != std::string_view::npos;
  return remote.substr(0, begin + 3) + (has_password ? "xxxxx:xxxxx" : "xxxxx") +
         remote.substr(begin + 3 + at);
}

}  // namespace dockerfile
