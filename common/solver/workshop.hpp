// What ops work with, and what comes out of them.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/document/request.hpp"
#include "common/engine/progress.hpp"
#include "common/plan/op.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/solver/base_images.hpp"
#include "common/solver/emulation.hpp"
#include "common/solver/local_copies.hpp"
#include "common/solver/source_tree.hpp"
#include "common/solver/ssh_agents.hpp"
#include "common/store/store.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

class Draft;
class StepCache;

// Local files, read where they lie, with what the ignore file leaves of them.
struct LocalFiles {
  std::string name;  // of the context
  std::shared_ptr<SourceTree> tree;
  std::shared_ptr<SourceTree> sent;  // the same, as far as BuildKit would see it: see sent_files()
};

// What an op reads or changes: local files, or a stack of trees.
struct Filesystem {
  snapshot::Stack stack;
  std::optional<LocalFiles> local = {};
};

// What an op has made: a tree to go on top of those it changed, or, where nothing will read that, the draft
// of one.
struct Change {
  std::filesystem::path tree;
  std::shared_ptr<Draft> draft = nullptr;
  // What names all its files, of what was fetched.
  std::optional<hash::Digest> identity = std::nullopt;
};

// Shared by all ops of a build, from several threads.
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
  snapshot::Snapshotter& snapshotter;
  sandbox::Sandbox& sandbox;
  BaseImages& images;
  store::Store& store;
  engine::Progress& progress;
  sys::Canceller& canceller;
  const sys::Cancellation cancel;  // for all that works and waits
  const std::filesystem::path directory;
  const std::map<std::string, std::string> proxies;
  const std::optional<std::int64_t> epoch;
  StepCache* const cache;
  const SshAgents ssh;
  Emulators emulators;
  LocalCopies local_copies;

  // A path for a tree that does not exist yet.
  std::filesystem::path new_tree();

  // The value of a secret of the request, nothing if there is none of this id. Throws util::Error if its file
  // cannot be read.
  std::optional<std::string> secret(const std::string& id) const;

private:
  std::atomic<unsigned> trees_ = 0;
};

}  // namespace solver
