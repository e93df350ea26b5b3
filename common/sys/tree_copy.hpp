// Files copied from one plain directory to another.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <map>
#include <utility>

#include "common/sys/cancellation.hpp"
#include "common/sys/rooted_dir.hpp"

namespace sys {

// Copies entries one by one to the same places, with everything that a layer keeps of them: type, owner,
// mode, extended attributes, modification time. Content is shared where the filesystem can share it.
class TreeCopy {
public:
  // Whether the names of one file stay names of one file, as far as all of them are copied by one object, or
  // each becomes a file of its own, as the names of a file are in an overlay once they are written to.
  enum class HardLinks { kept, parted };

  // Both outlive the object; times of directories in `to` are to be kept (RootedDir::Times::kept), and
  // `to` settled when all is done.
  TreeCopy(RootedDir& from, RootedDir& to, const Cancellation& cancel, HardLinks links = HardLinks::kept)
      : from_(from), to_(to), cancel_(cancel), links_(links) {}

  // One entry, which `status` is of; of a directory not what is in it. Its parent is there, and so may be a
  // directory for a directory, but nothing else. A device that nobody may make here is left out. Throws
  // util::Error, also as Cancellation::check does.
  void entry(const RootedPath& path, const struct stat& status);

  // The same under another name, and whatever other names the file has.
  void entry_as(const RootedPath& path, const RootedPath& name, const struct stat& status);

  // The same, and of a directory everything below it.
  void tree(const RootedPath& path, const RootedPath& name);

private:
  void entry_or_link(const RootedPath& path, const RootedPath& name, const struct stat& status);
  void make(const RootedPath& path, const RootedPath& name, const struct stat& status);
  void copy_file(const RootedPath& path, const RootedPath& name, const struct stat& status);
  void copy_metadata(const RootedPath& path, const RootedPath& name, const struct stat& status);

  RootedDir& from_;
  RootedDir& to_;
  const Cancellation& cancel_;
  HardLinks links_;
  std::map<std::pair<dev_t, ino_t>, RootedPath> copied_;  // files of several names
};

}  // namespace sys
