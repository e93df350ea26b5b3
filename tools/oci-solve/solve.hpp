// From a request to a result.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "common/document/request.hpp"
#include "common/engine/engine.hpp"

namespace oci_solve {

struct Options {
  std::optional<std::string> engine = std::nullopt;  // nothing = what the request says
  std::optional<std::filesystem::path> work_dir = std::nullopt;
  int start_timeout = 60;  // seconds
};

// The engine to use: what the options name, else what the request says; "auto" is BuildKit. Throws Error for
// one that does not exist.
std::unique_ptr<engine::Engine> make_engine(const Options& options, document::EngineChoice requested);

// Reads a request from `in`, builds it and writes the result to `out` as one line. Throws Error.
void run(const Options& options, int in, std::FILE* out);

}  // namespace oci_solve
