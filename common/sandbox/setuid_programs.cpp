#include "common/sandbox/setuid_programs.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/sandbox/step_parts.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/characters.hpp"
#include "common/util/error.hpp"

namespace sandbox {
namespace {

template <std::size_t Count>
bool is_one_of(std::string_view word, const std::array<std::string_view, Count>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// After these comes a command still.
constexpr std::array<std::string_view, 15> prefixes = {"if",    "then", "else",    "elif",  "while",
                                                       "until", "do",   "!",       "exec",  "env",
                                                       "nohup", "time", "command", "xargs", "nice"};
constexpr std::array<std::string_view, 4> programs = {"sudo", "su", "doas", "pkexec"};

bool is_part_of_word(char c) {
  return util::is_alnum(c) || std::string_view("/.-_+=!:@%,").find(c) != std::string_view::npos;
}

bool gives_rights(sys::RootedDir& root, const std::string& path) {
  try {
    const auto place = root.follow(path);
    const auto status = place ? root.status(*place) : std::nullopt;
    return status && S_ISREG(status->st_mode) && (status->st_mode & S_ISUID) != 0 &&
           (status->st_mode & 0111) != 0;
  } catch (const util::Error&) {
    return false;  // no path at all
  }
}

}  // namespace

std::vector<std::string> command_words(const std::vector<std::string>& args) {
  std::vector<std::string> words;
  for (const auto& argument : args) {
    bool is_next = true;
    std::string word;
    for (const char c : argument + "\n") {
      if (is_part_of_word(c)) {
        word += c;
        continue;
      }
      if (!word.empty() && is_next && !is_one_of(word, prefixes) && word.find('=') == std::string::npos) {
        words.push_back(word);
        is_next = false;
      }
      word.clear();
      if (c != ' ' && c != '\t' && c != '$' && c != '<' && c != '>') is_next = true;
    }
  }
  return words;
}

std::string named_setuid_program(const Spec& spec, const std::vector<std::string>& env) {
  for (const auto& word : command_words(spec.args)) {
    if (!is_one_of(std::string_view(word).substr(word.rfind('/') + 1), programs)) continue;
    auto root = sys::RootedDir::open(spec.root);
    for (const auto& path : candidates(word, env)) {
      if (gives_rights(root, path)) return path;
    }
  }
  return {};
}

}  // namespace sandbox
