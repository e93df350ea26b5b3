// Cache mounts as directories that are locked by who uses them.
//
// Who chooses a directory has a lock on the folder of all for these microseconds, so that no two take the
// same one, or each one of their own. Who makes a directory has its name reserved by a file in partial/, as
// copying what it begins with may take long.
#include "common/store/mounts.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "common/store/mount_record.hpp"
#include "common/store/store.hpp"
#include "common/sys/disk_use.hpp"
#include "common/sys/file.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"
#include "common/util/full_disk.hpp"

namespace store {
namespace {

constexpr auto folder_name = "mounts";

// flock(2) cannot wait for a cancellation as well. Short at first: most have done in no time.
class Patience {
public:
  explicit Patience(const sys::Cancellation& cancel, std::function<void()> on_wait = {})
      : cancel_(cancel), on_wait_(std::move(on_wait)) {}

  void wait() {
    cancel_.sleep(time_);
    waited_ += time_;
    time_ = std::min(time_ * 2, std::chrono::milliseconds(20));
    if (waited_ >= std::chrono::seconds(1) && on_wait_) std::exchange(on_wait_, {})();
  }

private:
  const sys::Cancellation& cancel_;
  std::function<void()> on_wait_;
  std::chrono::milliseconds time_{1};
  std::chrono::milliseconds waited_{0};
};

std::string lock_name(const std::string& name) {
  return "mount-" + name;
}

std::string numbered(const std::string& id, unsigned number) {
  return number == 1 ? id : id + "-" + std::to_string(number);
}

// Empty for anything but a directory. Throws where there may be one that we cannot get at.
sys::UniqueFd open_real_directory(int parent, const std::string& name, int access, const std::string& what) {
  sys::UniqueFd fd(::openat(parent, name.c_str(), access | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != EACCES)
    util::throw_errno("cannot open " + what);
  return fd;
}

bool has_record(int place) {
  struct stat status = {};
  return ::fstatat(place, mount_record_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode);
}

// Nothing if the action failed because the store cannot be written to: then the store it spills into is
// there.
template <typename Action>
auto or_spilled(Spill& spill, const Action& action) -> std::optional<decltype(action())> {
  try {
    return action();
  } catch (const util::Error& error) {
    spill.use(error);
    return std::nullopt;
  }
}

// For a new mount. A directory without a record is what is left of one that was being removed.
void clear(const Folder& folder, const std::string& name, const Warn& warn, const sys::Cancellation& cancel) {
  struct stat status = {};
  if (::fstatat(folder.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;
  const auto place = open_real_directory(folder.fd(), name, O_PATH, folder.shown(name));
  struct stat record = {};
  const bool was_whole =
      place && ::fstatat(place.get(), mount_record_name, &record, AT_SYMLINK_NOFOLLOW) == 0;
  sys::remove_tree_at(folder.fd(), name, folder.shown(name), cancel);
  if (!S_ISDIR(status.st_mode)) {
    warn("replaced " + folder.shown(name) + " in the store, which was " +
         std::string(sys::kind_of_file(status.st_mode)) + " and not a directory");
  } else if (was_whole) {
    warn("replaced " + folder.shown(name) + " in the store, as its files or its record were missing");
  }
}

}  // namespace

// One that is there, or the right to make one; neither where somebody is to be waited for.
struct Mounts::Choice {
  std::optional<Lease> lease = {};
  std::optional<LockFile> turn = {};
  std::string name = {};
};

struct Mounts::NewMount {
  NewEntry entry;
  Folder place;
  sys::UniqueFd root;
};

Mounts::Mounts(const Folder& store, const Folder& partial, Warn warn, Spill& spill)
    : store_(store), partial_(partial), warn_(std::move(warn)), spill_(spill) {}

// Caches hold set-user-ID programs, which are not for everybody on the machine.
const Folder& Mounts::folder() {
  const std::lock_guard lock(mutex_);
  if (!folder_) folder_ = require_folder(store_, folder_name, 0700, warn_);
  return *folder_;
}

const Folder* Mounts::find() {
  const std::lock_guard lock(mutex_);
  try {
    if (!folder_) folder_ = find_folder(store_, folder_name);
  } catch (const util::Error& error) {
    if (error.is_cancelled() || !remove_entry(store_, folder_name)) throw;
    warn_("removed what was in the place of the cache mounts: " + std::string(error.what()));
  }
  return folder_ ? &*folder_ : nullptr;
}

bool Mounts::Lease::is_full() const {
  const auto room = sys::room_on_disk(root_.get());
  return room && room->is_full;
}

Mounts::Lease Mounts::lease(const hash::Digest& key, Sharing sharing, const Prepare& prepare,
                            const sys::Cancellation& cancel, const std::function<void()>& on_wait) {
  const std::string id(key.hex());
  Patience patience(cancel, on_wait);
  for (;;) {
    if (auto* other = spill_.store()) return other->mounts().lease(key, sharing, prepare, cancel, on_wait);
    auto choice = or_spilled(spill_, [&] { return choose(id, sharing, cancel); });
    if (!choice) continue;
    if (choice->lease) return std::move(*choice->lease);
    if (!choice->turn) {
      patience.wait();
      continue;
    }
    auto made = or_spilled(spill_, [&] { return begin(); });
    if (!made) continue;
    try {
      prepare(made->root.get());
    } catch (const util::Error& error) {
      if (!util::is_full_disk(error)) throw;
      spill_.use(error);
      continue;
    }
    auto lease = or_spilled(spill_, [&] { return finish(std::move(*made), choice->name, sharing, cancel); });
    if (lease) return std::move(*lease);
  }
}

Mounts::Choice Mounts::choose(const std::string& id, Sharing sharing, const sys::Cancellation& cancel) {
  const auto& folder = this->folder();
  const auto choosing = lock_choice(cancel);
  std::optional<Lease> free;
  bool is_busy = false;
  Choice choice;
  for (unsigned number = 1;; ++number) {
    const auto name = numbered(id, number);
    const auto what = folder.shown(name);
    HeldLock lock(open_real_directory(folder.fd(), name, O_RDONLY, what));
    const bool is_there = lock.fd() >= 0;
    const bool is_alone = is_there && try_lock(lock.fd(), LOCK_EX, what);
    if (is_there && !is_alone) {
      is_busy = true;
      if (sharing != Sharing::shared || !try_lock(lock.fd(), LOCK_SH, what)) continue;
    }
    auto root = is_there && has_record(lock.fd()) ? open_real_directory(lock.fd(), mount_root, O_PATH, what)
                                                  : sys::UniqueFd();
    if (root) {
      Lease lease(std::move(lock), std::move(root));
      if (!is_alone) return {.lease = std::move(lease)};  // with others who share it
      if (!free) free = std::move(lease);
      if (sharing != Sharing::shared) break;
    } else if (is_there && !is_alone) {
      continue;  // what others use is not to be made anew, whatever became of it
    } else if (free && !is_being_made(name)) {
      break;
    } else if (auto turn = LockFile::try_lock(partial_, lock_name(name))) {
      choice = {.turn = std::move(turn), .name = name};
      break;
    } else {
      is_busy = true;
      if (sharing == Sharing::shared) return {};
    }
  }
  if (free) {
    if (sharing == Sharing::shared) try_lock(free->lock_.fd(), LOCK_SH, folder.shown());
    check_room(*free);
    // The time of the last use only decides what is pruned first, and what is measured again.
    [[maybe_unused]] const int ignored = ::futimens(free->lock_.fd(), nullptr);
    return {.lease = std::move(free)};
  }
  if (is_busy && sharing == Sharing::locked) return {};
  return choice;
}

HeldLock Mounts::lock_choice(const sys::Cancellation& cancel) {
  Patience patience(cancel);
  HeldLock lock(folder().open_list());
  while (!try_lock(lock.fd(), LOCK_EX, folder().shown()))
    patience.wait();
  return lock;
}

bool Mounts::is_being_made(const std::string& name) {
  struct stat status = {};
  if (::fstatat(partial_.fd(), lock_name(name).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
  return !LockFile::try_lock(partial_, lock_name(name));
}

Mounts::NewMount Mounts::begin() const {
  auto entry = NewEntry::directory(partial_);
  auto place = entry.open();
  const auto what = place.shown(mount_root);
  if (::mkdirat(place.fd(), mount_root, 0755) != 0) util::throw_errno("cannot create " + what);
  auto root = open_real_directory(place.fd(), mount_root, O_RDONLY, what);
  // Whatever the umask says.
  if (!root || ::fchmod(root.get(), 0755) != 0) util::throw_errno("cannot create " + what);
  return {std::move(entry), std::move(place), std::move(root)};
}

Mounts::Lease Mounts::finish(NewMount made, const std::string& name, Sharing sharing,
                             const sys::Cancellation& cancel) {
  const auto what = folder().shown(name);
  auto root = open_real_directory(made.place.fd(), mount_root, O_PATH, what);
  HeldLock lock(made.place.open_list());
  try_lock(lock.fd(), sharing == Sharing::shared ? LOCK_SH : LOCK_EX, what);
  write_mount_record(made.place, {}, partial_);
  clear(folder(), name, warn_, cancel);
  {
    // Whoever chooses finds either this or that somebody has the turn to make it.
    const auto choosing = lock_choice(cancel);
    made.entry.place(folder(), name);
  }
  Lease lease(std::move(lock), std::move(root));
  check_room(lease);
  return lease;
}

// A step that finds no room in its cache would fail.
void Mounts::check_room(const Lease& lease) const {
  const auto room = sys::room_on_disk(lease.directory());
  if (!spill_.is_possible() || !room) return;
  if (room->is_read_only) util::throw_errno("cannot write to the cache mounts", EROFS);
  if (room->is_full) util::throw_errno("cannot write to the cache mounts", ENOSPC);
}

}  // namespace store
