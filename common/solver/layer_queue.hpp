// Layers on their way from a registry to who unpacks them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>

#include "common/engine/progress.hpp"
#include "common/image/descriptor.hpp"

namespace solver {

// Lower layers are unpacked while higher ones are still being pulled. Thread-safe.
class LayerQueue {
public:
  // Borrows `vertex`, which is told how far each blob is.
  explicit LayerQueue(engine::Progress::Vertex& vertex) : vertex_(vertex) {}

  // As registry::OnProgress.
  void progress(const image::Descriptor& layer, std::uint64_t done);

  // No more will come: all are here, or `failure` is the reason.
  void end(std::exception_ptr failure);

  // Throws the failure if that comes before the layer.
  void wait_for(const hash::Digest& layer);

  // After end(): throws the failure, if there was one.
  void check();

private:
  struct State {
    std::uint64_t done = 0;
    std::uint64_t size = 0;
  };

  engine::Progress::Vertex& vertex_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<hash::Digest, State> layers_;  // this and what follows is guarded by mutex_
  bool ended_ = false;
  std::exception_ptr failure_;
};

}  // namespace solver
