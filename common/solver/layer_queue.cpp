// A meeting of two threads, with words about the wait.
#include "common/solver/layer_queue.hpp"

#include <chrono>

namespace solver {

void LayerQueue::progress(const image::Descriptor& layer, std::uint64_t done) {
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] = layers_.try_emplace(layer.digest);
  found->second = {.done = done, .size = layer.size};
  // What was in the store already is no transfer.
  if (!is_new || done < layer.size) vertex_.transfer(layer.digest.str(), done, layer.size);
  if (done == layer.size) changed_.notify_all();
}

void LayerQueue::end(std::exception_ptr failure) {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  failure_ = std::move(failure);
  changed_.notify_all();
}

void LayerQueue::wait_for(const hash::Digest& layer) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto found = layers_.find(layer);
    if (found != layers_.end() && found->second.done == found->second.size) return;
    if (failure_) std::rethrow_exception(failure_);
    if (ended_) return;
    // The vertex shows a download now and then when told; one that has stalled tells nothing itself.
    changed_.wait_for(lock, std::chrono::seconds(1));
    for (const auto& [digest, state] : layers_) {
      if (state.done < state.size) vertex_.transfer(digest.str(), state.done, state.size);
    }
  }
}

void LayerQueue::check() {
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace solver
