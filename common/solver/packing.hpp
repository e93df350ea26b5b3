// From what ops have made to blobs, and what is shown of that.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/engine/progress.hpp"
#include "common/layer/pack.hpp"
#include "common/solver/step_cache.hpp"
#include "common/solver/trees.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/util/date.hpp"

namespace solver {

// A layer of an image that is not of its base.
struct BuiltLayer {
  layer::PackedLayer packed;
  std::function<sys::UniqueFd()> open;  // throws util::Error
  bool is_own = false;                  // `open` also for writing: nobody else has the blob
  util::Date created = {};
  std::string description = {};                 // where no entry of the history stands for it
  std::optional<hash::Digest> variant_of = {};  // the diff_id that the step made, where it is another form
};

// Thread-safe.
class Packing {
public:
  // `options` are those of the images. All else is borrowed; without a cache blobs lie in the directory of
  // `trees`.
  Packing(const layer::PackOptions& options, Trees& trees, StepCache* cache, sys::Cancellation cancel);

  // `name` is that of no other layer. `below` is null for a change that stands alone. With a cache the blob
  // is there, in the form in which steps are kept. Throws util::Error, also as sys::Cancellation::check does.
  BuiltLayer pack(const std::string& name, const Change& change, const snapshot::Stack* below);

  // A layer that the cache has. Throws util::Error where its blob is not what it should be.
  BuiltLayer from_cache(const store::Step& step);

  // The layer as the images are to have it.
  BuiltLayer for_image(const std::string& name, BuiltLayer layer);

private:
  layer::PackOptions kept_options() const;
  template <typename Write>
  BuiltLayer write(const std::string& name, const Write& write);
  template <typename Write>
  BuiltLayer write_aside(const std::string& name, const Write& write);

  const layer::PackOptions options_;
  Trees& trees_;
  StepCache* const cache_;
  const sys::Cancellation cancel_;
};

// One vertex for all packing, shown when nothing else is: what the build waits for then. Thread-safe.
class PackingProgress {
public:
  explicit PackingProgress(engine::Progress& progress) : progress_(progress) {}

  void add();
  void done(const BuiltLayer& layer, std::chrono::duration<double> time);
  // Of several failures the first is shown.
  void failed(const std::string& reason);
  // Nothing but packing is left, so far.
  void show();
  // All is done.
  void finish();

private:
  void open();

  engine::Progress& progress_;
  std::mutex mutex_;
  std::size_t left_ = 0;            // this and what follows is guarded by mutex_
  std::vector<std::string> lines_;  // what is to be said once it is shown
  std::optional<engine::Progress::Vertex> vertex_;
  bool failed_ = false;
};

}  // namespace solver
