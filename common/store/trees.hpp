// Unpacked images by what is in them.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/store/entries.hpp"
#include "common/store/lock_file.hpp"
#include "common/store/spill.hpp"
#include "common/store/tree_watch.hpp"
#include "common/store/warn.hpp"
#include "common/sys/cancellation.hpp"

namespace store {

class NewTree;

// How long a store is kept. One of a single build is never read after a crash of the machine.
enum class Life { lasting, one_build };

// Whether all that a tree is made of lies on a disk, or has to come from a network first.
enum class Bytes { here, awaited };

// Whether everything in the tree is as the image says.
enum class Fidelity { whole, with_losses };

// One tree is all layers of an image put together, found by the chain of its diff_ids (image-spec, config.md,
// "Layer ChainID"). Not one tree per layer: whiteouts would have to be kept as marks of one way to stack
// layers, and every look-up in a step would go through as many directories as the image has layers; what two
// images have in common is unpacked twice for that, but pulled once.
//
// A tree that could not be made whole for want of rights, or inside a mapping of ids, is of use only to who
// has the same rights and mapping: it gets a name of its own.
//
// Whatever is found here is shared with other builds: to be read, or taken as the lower directory of an
// overlay, but never changed. It is not removed while a Store is open on the directory.
class Trees {
public:
  // Both folders live longer, and are on one filesystem.
  Trees(const Folder& folder, const Folder& partial, Warn warn, Life life, Spill& spill);

  // The root of the tree (Folder::handle, which lives as long as the Store); counts as a use. One that was
  // made before the machine last started is read through first, because what was written then may not have
  // reached the disk. Any other is looked through while it is used already: see are_sound(). A damaged one is
  // warned of and not there. Never throws for damage.
  std::optional<std::filesystem::path> find(const hash::Digest& chain, const sys::Cancellation& cancel = {});

  // Waits until it is known whether what was found is as it was unpacked. False if something is not, which a
  // warning has told: then what was made of it is to be made again, and find() does not give it any more.
  // Sizes, modes, owners, names and times are looked at, so that no change made through the filesystem is
  // missed; what a disk lost is seen only after the machine has started anew, or the cache was copied.
  bool are_sound();

  // Waits also for what the next builds alone would use: the fingerprint of what was made.
  void finish() { watch_.finish(); }

  // The right to make the tree. Nothing if it is there. While another thread or process makes it, waits for
  // the outcome, but never with all bytes here for one who awaits some; `cancel` ends the wait. Throws
  // util::Error.
  std::optional<NewTree> make(const hash::Digest& chain, Bytes bytes = Bytes::here,
                              const sys::Cancellation& cancel = {});

  // The tree, made by `fill` in the directory that it is given where it is not there. Throws util::Error.
  struct Found {
    std::filesystem::path root;
    bool was_there = false;
  };
  Found get(const hash::Digest& chain, Bytes bytes, const sys::Cancellation& cancel,
            const std::function<Fidelity(const std::filesystem::path&)>& fill);

  // For who could not fill or commit `tree`: true if what keeps it from being written is its place, and the
  // next one that is made will lie where the store spills.
  bool give_up(NewTree tree, const util::Error& reason);

private:
  friend class NewTree;

  std::optional<std::filesystem::path> find_named(const std::string& name, const sys::Cancellation& cancel);
  std::optional<LockFile> try_lock(const hash::Digest& chain, Bytes bytes);
  std::filesystem::path hand_out(std::shared_ptr<const OpenTree> tree);

  const Folder& folder_;
  const Folder& partial_;
  Warn warn_;
  Life life_;
  Spill& spill_;
  TreeWatch watch_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<const OpenTree>> handed_out_;  // guarded by mutex_
};

// A tree being made; nobody else makes it meanwhile, save one with all bytes here beside one who awaits some.
// Removed again without commit(). Outlived by the Trees it is from.
class NewTree {
public:
  NewTree(NewTree&&) noexcept = default;
  NewTree& operator=(NewTree&&) = delete;

  // An empty directory, mode 0755, to be filled (Folder::handle).
  std::filesystem::path root() const { return tree_->root.handle(); }

  // Puts the tree in its place and gives its root as find() does; if one was put there meanwhile, that one's.
  // Throws util::Error. At most once, and nothing may follow.
  std::filesystem::path commit(Fidelity fidelity);

private:
  friend class Trees;
  bool takes_more() const;
  NewTree(Trees& trees, hash::Digest chain, const sys::Cancellation& cancel, std::optional<LockFile> turn,
          std::optional<LockFile> lock);

  Trees* trees_;
  hash::Digest chain_;
  sys::Cancellation cancel_;
  std::optional<LockFile> turn_;  // among those who await bytes
  std::optional<LockFile> lock_;  // what commit() needs
  NewEntry place_;
  std::shared_ptr<const OpenTree> tree_;
};

}  // namespace store
