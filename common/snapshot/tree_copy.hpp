// Files copied from one plain directory to another.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <unordered_map>

#include "common/sys/cancellation.hpp"
#include "common/sys/rooted_dir.hpp"

namespace snapshot {

// Copies entries one by one to the same places, with everything that a layer keeps of them: type, owner,
// mode, extended attributes, modification time. The names of one file stay names of one file, as far as all
// of them are copied by one object. Content is shared where the filesystem can share it.
class TreeCopy {
public:
  // Both outlive the object; times of directories in `to` are to be kept (sys::RootedDir::Times::kept), and
  // `to` settled when all is done.
  TreeCopy(sys::RootedDir& from, sys::RootedDir& to, const sys::Cancellation& cancel)
      : from_(from), to_(to), cancel_(cancel) {}

  // One entry, which `status` is of; of a directory not what is in it. Its parent is there, and so may be a
  // directory for a directory, but nothing else. A device that nobody may make here is left out. Throws
  // util::Error, also as sys::Cancellation::check does.
  void entry(const sys::RootedPath& path, const struct stat& status);

  // The same under another name, and whatever other names the file has.
  void entry_as(const sys::RootedPath& path, const sys::RootedPath& name, const struct stat& status);

private:
  void make(const sys::RootedPath& path, const sys::RootedPath& name, const struct stat& status);
  void copy_file(const sys::RootedPath& path, const sys::RootedPath& name, const struct stat& status);
  void copy_metadata(const sys::RootedPath& path, const sys::RootedPath& name, const struct stat& status);

  sys::RootedDir& from_;
  sys::RootedDir& to_;
  const sys::Cancellation& cancel_;
  std::unordered_map<std::uint64_t, sys::RootedPath> copied_;  // files of several names, by inode
};

// Puts what the tree `from` holds, over a filesystem that begins as what lies in `to`, into `to`: a whiteout
// removes, an opaque directory begins empty, what is of another type is replaced. Throws util::Error, also as
// sys::Cancellation::check does.
void apply_tree(const std::filesystem::path& from, const std::filesystem::path& to,
                const sys::Cancellation& cancel);

}  // namespace snapshot
