// One thread: who copies a blob takes no less time than who hashes it.
#include "common/store/late_checks.hpp"

namespace store {

LateChecks::~LateChecks() {
  {
    const std::lock_guard lock(mutex_);
    waiting_.clear();
    sealed_.clear();
    ends_ = true;
  }
  changed_.notify_all();
  worker_.wait();
}

void LateChecks::add(const Blob& blob) {
  const std::lock_guard lock(mutex_);
  if (!known_.insert(blob.digest).second) return;
  waiting_.push_back(blob);
  if (!worker_.joinable()) worker_ = sys::Thread([this] { work(); });
  changed_.notify_all();
}

bool LateChecks::finish() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  if (worker_.joinable()) worker_.join();
  const std::lock_guard lock(mutex_);
  ends_ = false;
  return sound_;
}

void LateChecks::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
    const bool is_last_look = waiting_.empty();
    auto& queue = is_last_look ? sealed_ : waiting_;
    if (queue.empty()) return;
    const auto blob = queue.front();
    queue.pop_front();
    lock.unlock();
    const bool can_wait = !is_last_look && blobs_.is_sealed(blob);
    const bool is_right = can_wait || blobs_.has(blob, Check::digest);
    lock.lock();
    if (can_wait) sealed_.push_back(blob);
    sound_ = sound_ && is_right;
  }
}

}  // namespace store
