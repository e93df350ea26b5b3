// Which engine builds a request, and why.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "common/display/screen.hpp"
#include "common/document/request.hpp"
#include "common/engine/engine.hpp"
#include "common/native/definition.hpp"

namespace oci_solve {

// What engines are made with.
struct Settings {
  display::Screen& screen;
  std::optional<std::filesystem::path> state_dir;  // of the native engine
  std::chrono::seconds start_timeout;              // of BuildKit
};

struct Choice {
  std::unique_ptr<engine::Engine> engine;
  std::string description;  // for people: "native (isolation: namespaces)", "buildkit, because ..."
};

// The engine for the request of `definition`, which lives longer: `wanted`, or for `automatic` BuildKit where
// one elsewhere is named or the build asks for what the native engine leaves out, else the native engine
// where it can work in `work_dir`, else BuildKit. Returns in a child of this process if it is the native one
// (see native::enter_namespaces). Throws util::Error naming what is missing where the native engine is wanted
// and cannot run, and where neither can.
Choice choose_engine(document::EngineChoice wanted, const native::Definition& definition,
                     const std::filesystem::path& work_dir, const Settings& settings);

}  // namespace oci_solve
