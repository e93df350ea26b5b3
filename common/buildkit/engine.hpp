// The engine that builds with BuildKit: buildctl as the client of a private buildkitd or of one elsewhere.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "common/buildkit/daemon.hpp"
#include "common/engine/engine.hpp"

namespace buildkit {

class Engine final : public engine::Engine {
public:
  explicit Engine(std::chrono::milliseconds start_limit = default_start_limit) : start_limit_(start_limit) {}

  std::string name() const override { return "buildkit"; }

  // One buildctl for each target, with every option of the request; nothing local is started when the request
  // names a remote engine.
  document::Result build(const document::Request& request, const std::filesystem::path& work_dir) override;

private:
  std::chrono::milliseconds start_limit_;
};

}  // namespace buildkit
