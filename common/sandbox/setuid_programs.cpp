#include "common/sandbox/setuid_programs.hpp"

#include <sys/stat.h>

#include "common/sandbox/step_parts.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/characters.hpp"
#include "common/util/error.hpp"

namespace sandbox {
namespace {

std::vector<std::string> words_of(const std::vector<std::string>& args) {
  std::vector<std::string> words;
  for (const auto& argument : args) {
    std::string word;
    for (const char c : argument + " ") {
      if (util::is_alnum(c) || c == '/' || c == '.' || c == '-' || c == '_' || c == '+') {
        word += c;
      } else if (!word.empty()) {
        words.push_back(std::exchange(word, {}));
      }
    }
  }
  return words;
}

bool gives_rights(sys::RootedDir& root, const std::string& path) {
  try {
    const auto place = root.follow(path);
    const auto status = place ? root.status(*place) : std::nullopt;
    if (!status || !S_ISREG(status->st_mode) || (status->st_mode & 0111) == 0) return false;
    return (status->st_mode & S_ISUID) != 0 ||
           ((status->st_mode & S_ISGID) != 0 && (status->st_mode & S_IXGRP) != 0) ||
           root.xattrs(*place).contains("security.capability");
  } catch (const util::Error&) {
    return false;  // no path at all
  }
}

}  // namespace

std::string named_setuid_program(const Spec& spec, const std::vector<std::string>& env) {
  constexpr std::size_t most = 2'000;  // of a long script; words are looked up one by one
  auto root = sys::RootedDir::open(spec.root);
  auto words = words_of(spec.args);
  if (words.size() > most) words.resize(most);
  for (const auto& word : words) {
    for (const auto& path : candidates(word, env)) {
      if (gives_rights(root, path)) return path;
    }
  }
  return {};
}

}  // namespace sandbox
