// From a request to a result.
#pragma once

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

namespace oci_solve {

struct Options {
  std::optional<std::string> engine = std::nullopt;           // nothing = what the request says
  std::optional<std::string> isolation = std::nullopt;        // the same
  std::optional<std::string> progress = std::nullopt;         // the same
  std::optional<std::filesystem::path> graph = std::nullopt;  // the same
  std::optional<std::filesystem::path> work_dir = std::nullopt;
  std::optional<std::filesystem::path> state_dir = std::nullopt;  // of the native engine
  int start_timeout = 60;                                         // seconds
  bool plan = false;                                              // instead of a build
  bool json = false;                                              // of the plan
};

// Reads a request from stdin, chooses the engine and says which on stderr, builds, and writes the result to
// `out` as one line; or the plan, as text or JSON. Throws util::Error.
void run(const Options& options, std::FILE* out);

}  // namespace oci_solve
