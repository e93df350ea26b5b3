// The `git` program, run for a build: without the machine's settings, without questions, without hooks.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/cancellation.hpp"

namespace solver {

class GitCommand {
public:
  // Takes what git says for people, as it comes.
  using Say = std::function<void(std::string_view)>;

  // Settings for this repository alone, "NAME=value" each; they may be secret.
  GitCommand(std::vector<std::string> settings, std::vector<std::string> environment,
             sys::Cancellation cancel, Say say);

  // The same command for another repository; an empty work tree means none.
  GitCommand in(const std::filesystem::path& repository, const std::filesystem::path& work_tree = {}) const;

  // What it printed to stdout. Throws util::Error with what it printed to stderr if it fails. A server that
  // cannot send a part of a history is asked again for all of it.
  std::string run(std::vector<std::string> arguments) const;

private:
  struct Ended;
  Ended run_once(const std::vector<std::string>& arguments) const;

  std::vector<std::string> settings_;
  std::vector<std::string> environment_;
  std::filesystem::path repository_;
  std::filesystem::path work_tree_;
  sys::Cancellation cancel_;
  Say say_;
};

// A full commit id: 40 or 64 lower-case hex digits.
bool is_commit_id(std::string_view text);

}  // namespace solver
