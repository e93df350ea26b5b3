// Directories of cache mounts, and who may use one at the same time.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "common/hash/digest.hpp"
#include "common/store/entries.hpp"
#include "common/store/lock_file.hpp"
#include "common/store/spill.hpp"
#include "common/store/warn.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"

namespace store {

// Of all builds that have the store open, and of the steps of each. Those that share a directory share it as
// `shared`; `locked` and `private_` ones are alone with theirs. Where the directory of a key is in use
// otherwise, `locked` waits for it, and `shared` and `private_` take another one, which also stays.
enum class Sharing { shared, private_, locked };

// Thread-safe.
class Mounts {
public:
  // Fills a new directory, which is open and empty, of mode 0755, owned by who makes it. What it throws
  // leaves lease(), and the directory is gone; but where the disk was full it is called again for another.
  using Prepare = std::function<void(int directory)>;

  // In `mounts` of `store`, which is made when it is first needed. Both folders live longer, and are on one
  // filesystem.
  Mounts(const Folder& store, const Folder& partial, Warn warn, Spill& spill);

  // The right to use a directory as long as this lives; a kill ends it too.
  class Lease {
  public:
    // The directory (O_PATH): whatever becomes of its name, this is the one.
    int directory() const noexcept { return root_.get(); }

    // True if nothing more can be written to it.
    bool is_full() const;

  private:
    friend class Mounts;
    Lease(HeldLock lock, sys::UniqueFd root) : lock_(std::move(lock)), root_(std::move(root)) {}

    HeldLock lock_;  // on the folder that holds it
    sys::UniqueFd root_;
  };

  // A directory of this key; counts as a use. `cancel` ends the wait for others, and `on_wait` is called once
  // that has taken a second. What is damaged is made anew with a warning, and what the store does not take
  // goes where it spills. Throws util::Error.
  Lease lease(const hash::Digest& key, Sharing sharing, const Prepare& prepare,
              const sys::Cancellation& cancel = {}, const std::function<void()>& on_wait = {});

  // The folder; null if there is none. Anything else there is removed, with a warning. Throws util::Error.
  const Folder* find();

private:
  struct Choice;
  struct NewMount;

  Choice choose(const std::string& id, Sharing sharing, const sys::Cancellation& cancel);
  HeldLock lock_choice(const sys::Cancellation& cancel);
  bool is_being_made(const std::string& name);
  NewMount begin() const;
  Lease finish(NewMount made, const std::string& name, Sharing sharing, const sys::Cancellation& cancel);
  void check_room(const Lease& lease) const;

  const Folder& folder();

  const Folder& store_;
  const Folder& partial_;
  Warn warn_;
  Spill& spill_;
  std::mutex mutex_;
  std::optional<Folder> folder_;  // guarded by mutex_ until it is set
};

}  // namespace store
