// The state directory: what one build leaves for the next, shared by all builds that run at the same time.
//
//   format           "oci-build-store/1\n"
//   lock             flock(2): shared by every open Store, exclusive for who removes what others may use
//   blobs/sha256/X   a blob, whole; X is its digest in hex
//   blobs/sha256/X.used
//                    of a large one: its time is that of the last use, and what stands in it says for whom
//                    the bytes need not be read again (blob_seal.hpp)
//   names/X          what a name last meant, a JSON record (names.hpp); X is the name's SHA-256 in hex
//   trees/X/root     an unpacked image, or a git checkout; X is the chain of its diff_ids in hex, or what
//   names
//                    the commit, then "-" and a hash of our rights and mapping of ids where the tree is not
//                    for everybody (trees.hpp)
//   trees/X/tree.json
//                    {"schema": "oci-build/store-tree/3", "fingerprint": DIGEST of metadata and content or
//                    null, "seal": DIGEST of inodes with their times of change, "boot": the kernel's boot
//                    id, "bytes": what it takes on disk}: how the tree was when it was made; one without this
//                    record is not there
//   mounts/X/root    what a cache mount shows, as steps left it; X is its key in hex, a SHA-256, then "-2",
//                    "-3"... for further ones that were needed at the same time. Who uses one has a lock on
//                    mounts/X, shared or exclusive; who chooses one, on mounts/
//   mounts/X/mount.json
//                    {"schema": "oci-build/store-mount/1", "bytes": what it took on disk, "used": the mtime
//                    of mounts/X when that was counted, or "", "counted": the time of that, "free": bytes
//                    that were free on the disk then}; one without this record is not there
//   steps/X          a JSON record (steps.hpp): the layer that a step made, X is the key of the step in hex;
//                    or what was found out about files, X is what names the question; or what a URL gave; or
//                    which files of a directory were read, X names it (seals.hpp)
//   partial/X        a download of blob X that is under way (then flocked by its writer) or was cut
//   partial/new-*    a file or tree being written
//   partial/tree-X   empty, flocked by who unpacks the image of chain X
//   partial/mount-X  the same, by who makes mounts/X
//
// Everything appears in its place by rename(2). The mtime of an entry, of the folder itself for a tree or
// mount, is the time of its last use; whoever prunes goes by it, under the exclusive lock (prune.hpp), which
// also shows that no partial/new-* has an owner. A build that cannot get that lock leaves pruning to the last
// one that runs.
//
// Nothing is synced to disk. The page cache outlives any kill of a build, so rename orders everything that
// such a kill can tear; what a crash of the whole machine can tear (a renamed file without its bytes) shows
// as a wrong size, digest or fingerprint, which is a miss. A store is a cache: losing an entry costs time, a
// sync of each costs every build.
//
// Whoever made the entries, nobody has to be trusted to have left them so: one that is no file or directory
// where it should be is neither followed nor waited for (entries.hpp), and is replaced. What cannot be
// written goes to a store of this build alone (spill.hpp). Who changes the directory while a build runs,
// other than by such a build, can spoil what is in it, but leads no build out of it: the folders are opened
// once, and whatever is done is done below their descriptors.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/store/blobs.hpp"
#include "common/store/mounts.hpp"
#include "common/store/names.hpp"
#include "common/store/prune.hpp"
#include "common/store/seals.hpp"
#include "common/store/spill.hpp"
#include "common/store/steps.hpp"
#include "common/store/trees.hpp"
#include "common/store/usage.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/file_state.hpp"

namespace store {

// Who else may keep something in the directory: where the user chose it, what is not of a store is refused
// and stays; where it is the store's alone, it gives way.
enum class Owner { user, store };

// What of the directory may change: all that a build leaves, or nothing, whoever looks, down to the times of
// use. Then what is written goes to `spill` from the beginning.
enum class Access { full, look };

struct Options {
  Warn warn = warn_on_stderr;  // told of every damaged entry, from any thread
  sys::Cancellation cancel = {};
  Life life = Life::lasting;
  Owner owner = Owner::user;
  Access access = Access::full;  // with `look` the directory must be a store (is_store)
  // Of this build alone: what cannot be written to the store, for want of space, say, goes there, and a
  // warning says so once. Without it such a failure is thrown.
  std::optional<std::filesystem::path> spill = {};
  // Where set, trees are those of this build alone and go to a store in this directory: what is on disk is
  // not all of what they are (sys::FileFacts).
  std::optional<std::filesystem::path> own_trees = {};
  // Of an open directory: whether files in it can be sealed (seals.hpp).
  std::function<bool(int)> tells_changes = sys::tells_changes;
};

// Thread-safe, as are its parts.
class Store {
public:
  // Opens the store in `directory`, or makes one there (the parent must exist). One of another format is
  // emptied. While another process empties or prunes it, waits for that; `cancel` ends the wait. Throws
  // util::Error. One that lives no longer than a build is opened by what first asks for a part of it, which
  // then throws: making a store takes as long as a small layer.
  explicit Store(std::filesystem::path directory, Options options = {});
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store();

  Blobs& blobs();
  Names& names();
  Trees& trees();
  Mounts& mounts();
  Steps& steps();
  // Null in one that lives no longer than a build: nobody would come to find the files unchanged.
  Seals* seals();

  // Trees::are_sound, if any was asked for.
  bool is_sound();

  // Makes room (prune.hpp); what was used since this Store was opened stays. Nothing where other builds have
  // the directory open: the last of them does it. No part of the store may be asked for any more, nor
  // is_sound(); a second call does nothing. Throws util::Error, and as sys::Cancellation::check does.
  std::optional<Pruned> prune(const Limits& limits);

  // What it takes on disk (usage.hpp), also after prune(). Throws util::Error, and as
  // sys::Cancellation::check does.
  Usage usage();

  // True if something of this build could not be kept for want of space.
  bool was_full() const noexcept { return spill_.is_for_space(); }

  // False for one that lives no longer than a build.
  bool is_lasting() const noexcept { return options_.life == Life::lasting; }

  const std::filesystem::path& directory() const noexcept { return directory_; }

private:
  struct Parts;

  Parts& parts();
  Places places();

  std::filesystem::path directory_;
  Options options_;
  Spill spill_;
  std::once_flag once_;
  std::unique_ptr<Parts> parts_;
  std::unique_ptr<Store> own_trees_;  // nothing = they are among the parts
};

// True for what `Access::look` can open: a store of this format, whole.
bool is_store(const std::filesystem::path& directory);

}  // namespace store
