// All that a build works with. What carries a plan out has it and hands each op the two or three things of
// it that the op uses.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "common/document/request.hpp"
#include "common/engine/progress.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/solver/base_images.hpp"
#include "common/solver/run_op.hpp"
#include "common/solver/step_cache.hpp"
#include "common/solver/trees.hpp"
#include "common/store/store.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

// Shared by all threads of a build.
class Workshop {
public:
  struct Parts {
    const document::Request& request;
    snapshot::Snapshotter& snapshotter;
    sandbox::Sandbox& sandbox;
    BaseImages& images;
    store::Store& store;  // for what steps leave to later builds
    engine::Progress& progress;
    sys::Canceller& canceller;                   // of all that the images and the ops do
    std::filesystem::path directory;             // private; trees go there, on the snapshotter's filesystem
    std::map<std::string, std::string> proxies;  // for steps: "http_proxy" and "HTTP_PROXY" alike
    std::optional<std::int64_t> epoch;           // SOURCE_DATE_EPOCH
    StepCache* cache = nullptr;                  // where layers are kept for later builds
  };

  explicit Workshop(Parts parts);

  const document::Request& request;
  BaseImages& images;
  engine::Progress& progress;
  sys::Canceller& canceller;
  const sys::Cancellation cancel;     // for all that works and waits
  std::optional<std::int64_t> epoch;  // may be set until a plan is carried out
  StepCache* const cache;
  Trees trees;

  const StepServices& steps() const noexcept { return steps_; }

private:
  const Secrets secrets_;
  const SshAgents ssh_;
  Emulators emulators_;
  LocalCopies local_copies_;
  const StepServices steps_;
};

}  // namespace solver
