// Digests that are checked while blobs are already in use.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>

#include "common/store/blobs.hpp"
#include "common/sys/thread.hpp"

namespace store {

// For blobs that are only copied before the end of a build: another core reads them meanwhile, and nothing is
// published before finish() has said that they are what they should be. One that is sealed is looked at when
// all have been copied: who changes it before that breaks the seal. Thread-safe.
class LateChecks {
public:
  // `blobs` lives longer.
  explicit LateChecks(Blobs& blobs) : blobs_(blobs) {}
  LateChecks(const LateChecks&) = delete;
  LateChecks& operator=(const LateChecks&) = delete;
  // Leaves undone what nobody has waited for.
  ~LateChecks();

  // A second call for the same blob does nothing.
  void add(const Blob& blob);

  // Waits until all are checked. False if one is not what it should be: it is removed then, and warned of.
  // Throws as sys::Cancellation::check does.
  bool finish();

private:
  void work();

  Blobs& blobs_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<hash::Digest> known_;  // this and what follows is guarded by mutex_
  std::deque<Blob> waiting_;
  std::deque<Blob> sealed_;  // of those that waited
  bool ends_ = false;
  bool sound_ = true;
  sys::Thread worker_;
};

}  // namespace store
