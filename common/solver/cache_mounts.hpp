// Directories of RUN --mount=type=cache, and who may use one at the same time.
#pragma once

#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "common/dockerfile/mount.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

// Thread-safe. All that share a directory share it as `shared`; a `private_` or `locked` one is alone with
// it.
class CacheMounts {
  struct Place;

public:
  // New directories are made below `directory`.
  explicit CacheMounts(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // The right to use a directory, as long as it lives.
  class Lease {
  public:
    Lease(CacheMounts& mounts, Place& place) : mounts_(&mounts), place_(&place) {}
    Lease(Lease&& other) noexcept : mounts_(other.mounts_), place_(std::exchange(other.place_, nullptr)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();

    const std::filesystem::path& path() const noexcept;

  private:
    CacheMounts* mounts_;
    Place* place_;
  };

  // A directory of this key: one that nobody uses, or that others share; else `private_` and `shared` get a
  // new one, and `locked` waits for one. `prepare` fills a new one; who would share it waits until it has.
  // Throws util::Error, also as sys::Cancellation::check does.
  Lease acquire(const std::string& key, dockerfile::Sharing sharing,
                const std::function<void(const std::filesystem::path&)>& prepare,
                const sys::Cancellation& cancel);

private:
  enum class Use { free, soon_shared, shared, alone };
  struct Place {
    std::filesystem::path path;
    Use use = Use::free;
    unsigned users = 0;
  };

  void wait(std::unique_lock<std::mutex>& lock, const sys::Cancellation& cancel);
  Place* find(const std::string& key, dockerfile::Sharing sharing);
  bool is_being_made(const std::string& key);
  void release(Place& place);
  void wake();

  std::filesystem::path directory_;
  std::mutex mutex_;
  std::map<std::string, std::list<Place>> places_;  // by key; guarded by mutex_
  std::set<int> waiting_;                           // events of who waits for a release; the same
  unsigned count_ = 0;                              // the same
};

}  // namespace solver
