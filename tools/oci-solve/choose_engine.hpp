// Which engine builds a request, and why.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "common/document/request.hpp"
#include "common/engine/engine.hpp"

namespace oci_solve {

struct Choice {
  document::EngineChoice engine;  // never `automatic`
  std::string description;        // for people: "native (isolation: namespaces)", "buildkit, because ..."
};

// The engine for `request`: `wanted`, or for `automatic` BuildKit where one elsewhere is named or the build
// asks for what the native engine leaves out, else the native engine where it can work in `work_dir`, else
// BuildKit. Builds nothing and leaves nothing. Throws util::Error naming what is missing where the native
// engine is wanted and cannot run, and where neither can.
Choice choose_engine(document::EngineChoice wanted, const document::Request& request,
                     const std::filesystem::path& work_dir);

}  // namespace oci_solve
