// Leases of cache directories.
#include "common/solver/cache_mounts.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <exception>

#include "common/sys/fd.hpp"
#include "common/sys/paths.hpp"
#include "common/util/error.hpp"

namespace solver {

using dockerfile::Sharing;

CacheMounts::Lease::~Lease() {
  if (place_ != nullptr) mounts_->release(*place_);
}

const std::filesystem::path& CacheMounts::Lease::path() const noexcept {
  return place_->path;
}

CacheMounts::Lease CacheMounts::acquire(const std::string& key, Sharing sharing,
                                        const std::function<void(const std::filesystem::path&)>& prepare,
                                        const sys::Cancellation& cancel) {
  const Use use = sharing == Sharing::shared ? Use::shared : Use::alone;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (Place* place = find(key, sharing)) {
      place->use = use;
      ++place->users;
      return {*this, *place};
    }
    const bool waits =
        sharing == Sharing::locked ? !places_[key].empty() : sharing == Sharing::shared && is_being_made(key);
    if (!waits) break;
    wait(lock, cancel);
  }
  auto& place = places_[key].emplace_back();
  place = {.path = directory_ / ("cache-" + std::to_string(count_++)),
           .use = use == Use::shared ? Use::soon_shared : Use::alone,
           .users = 1};
  lock.unlock();
  Lease lease(*this, place);
  sys::make_directory(place.path, 0755);
  prepare(place.path);
  lock.lock();
  place.use = use;
  wake();
  return lease;
}

bool CacheMounts::is_being_made(const std::string& key) {
  const auto& places = places_[key];
  return std::any_of(places.begin(), places.end(),
                     [](const Place& place) { return place.use == Use::soon_shared; });
}

// For the next release, or a directory that is made. By a descriptor, as a condition variable cannot wait for
// a cancellation too.
void CacheMounts::wait(std::unique_lock<std::mutex>& lock, const sys::Cancellation& cancel) {
  const sys::UniqueFd released(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!released) util::throw_errno("cannot make an event");
  waiting_.insert(released.get());
  lock.unlock();
  std::exception_ptr thrown;
  try {
    pollfd event{released.get(), POLLIN, 0};
    cancel.wait({&event, 1});
  } catch (...) {
    thrown = std::current_exception();
  }
  lock.lock();
  waiting_.erase(released.get());
  if (thrown) std::rethrow_exception(thrown);
}

CacheMounts::Place* CacheMounts::find(const std::string& key, Sharing sharing) {
  Place* free = nullptr;
  for (auto& place : places_[key]) {
    if (place.use == Use::shared && sharing == Sharing::shared) return &place;
    if (place.use == Use::free && free == nullptr) free = &place;
  }
  return free;
}

void CacheMounts::release(Place& place) {
  const std::lock_guard lock(mutex_);
  if (--place.users == 0) place.use = Use::free;
  wake();
}

void CacheMounts::wake() {
  for (const int event : waiting_)
    ::eventfd_write(event, 1);
}

}  // namespace solver
