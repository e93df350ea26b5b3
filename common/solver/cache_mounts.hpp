// The directories of a step's RUN --mount=type=cache.
#pragma once

#include <map>
#include <string>

#include "common/engine/progress.hpp"
#include "common/hash/digest.hpp"
#include "common/plan/op.hpp"
#include "common/solver/trees.hpp"
#include "common/store/mounts.hpp"
#include "common/store/store.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

// The right of one step to use its caches, as long as this lives. A cache is known by its id, by the owner
// and mode that it is made with, and by the content that it begins with: by nothing that means something in
// one build alone.
class CacheMounts {
public:
  // Waits for those that others have locked, and tells `vertex` if that takes long. `failure` begins what is
  // said of a source that is not there. Throws util::Error, also as sys::Cancellation::check does.
  CacheMounts(const plan::Run& run, const Inputs& inputs, snapshot::Snapshotter& snapshotter,
              store::Store& store, const std::string& failure, engine::Progress::Vertex& vertex,
              const sys::Cancellation& cancel);

  // Of a mount of the step (O_PATH): open as long as this lives.
  int directory(const plan::Run::Mount& mount) const;

  // The id of a cache that nothing more can be written to; empty if there is none.
  std::string full() const;

private:
  std::map<const plan::Run::Mount*, hash::Digest> keys_;
  std::map<hash::Digest, store::Mounts::Lease> leases_;
};

}  // namespace solver
