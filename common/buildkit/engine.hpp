// The engine that builds with BuildKit: buildctl as the client of a private buildkitd or of one elsewhere.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>

#include "common/buildkit/daemon.hpp"
#include "common/display/screen.hpp"
#include "common/document/request.hpp"
#include "common/engine/engine.hpp"

namespace buildkit {

class Engine final : public engine::Engine {
public:
  // `request` and `screen` live longer; `work_dir` is private to this build and removed afterwards by the
  // caller.
  Engine(const document::Request& request, display::Screen& screen, std::filesystem::path work_dir,
         std::chrono::milliseconds start_limit = default_start_limit)
      : request_(request), screen_(screen), work_dir_(std::move(work_dir)), start_limit_(start_limit) {}

  std::string name() const override { return "buildkit"; }

  // One buildctl for each target, with every option of the request; nothing local is started when the request
  // names a remote engine.
  document::Result build() override;

private:
  const document::Request& request_;
  display::Screen& screen_;
  std::filesystem::path work_dir_;
  std::chrono::milliseconds start_limit_;
};

}  // namespace buildkit
