// Copies by descriptors, entry by entry.
#include "common/sys/tree_copy.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>

#include <cstdint>
#include <limits>
#include <string>

#include "common/sys/copy_content.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace sys {
namespace {

std::string quoted(const RootedPath& path) {
  return util::quote("/" + path.str());
}

bool is_device(const struct stat& status) {
  return S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
}

}  // namespace

void TreeCopy::entry(const RootedPath& path, const struct stat& status) {
  entry_or_link(path, path, status);
}

void TreeCopy::tree(const RootedPath& path, const RootedPath& name) {
  const auto status = from_.status(path);
  if (!status) return;  // it is not there any more
  if (!S_ISDIR(status->st_mode)) return entry_or_link(path, name, *status);
  cancel_.check();
  if (!to_.status(name)) to_.make_directory(name);
  for (const auto& child : from_.list(path))
    tree(path.child(child), name.child(child));
  copy_metadata(path, name, *status);
}

void TreeCopy::entry_or_link(const RootedPath& path, const RootedPath& name, const struct stat& status) {
  cancel_.check();
  const bool has_more_names = links_ == HardLinks::kept && !S_ISDIR(status.st_mode) && status.st_nlink > 1;
  if (has_more_names) {
    const auto [first, is_new] = copied_.try_emplace({status.st_dev, status.st_ino}, name);
    if (!is_new) return to_.make_hard_link(name, first->second);
  }
  make(path, name, status);
}

void TreeCopy::entry_as(const RootedPath& path, const RootedPath& name, const struct stat& status) {
  make(path, name, status);
}

void TreeCopy::make(const RootedPath& path, const RootedPath& name, const struct stat& status) {
  if (S_ISDIR(status.st_mode)) {
    if (!to_.status(name)) to_.make_directory(name);
  } else if (S_ISREG(status.st_mode)) {
    copy_file(path, name, status);
  } else if (S_ISLNK(status.st_mode)) {
    to_.make_symlink(name, from_.target_of(path));
  } else if (const auto error = to_.make_node(name, status.st_mode & S_IFMT, status.st_rdev)) {
    if (!is_device(status)) util::throw_errno("cannot create " + quoted(path), error.value());
    util::log::debug("the device " + quoted(path) + " cannot be made here");
    copied_.erase({status.st_dev, status.st_ino});
    return;
  }
  copy_metadata(path, name, status);
}

void TreeCopy::copy_file(const RootedPath& path, const RootedPath& name, const struct stat& status) {
  auto target = to_.create_file(name);
  if (status.st_size > 0) {
    const auto source = from_.open_file(path);
    if (!source) throw util::Error(quoted(path) + " changed while it was copied");
    if (::ioctl(target.get(), FICLONE, source.get()) != 0)  // shared until one of them changes
      copy_content({source.get(), quoted(path)}, {target.get(), "the copy of " + quoted(path)},
                   std::numeric_limits<std::uint64_t>::max(), cancel_);
  }
  close_checked(std::move(target), "the copy of " + quoted(path));
}

// In this order: a new owner takes set-id bits and capabilities away, a new mode changes an ACL.
void TreeCopy::copy_metadata(const RootedPath& path, const RootedPath& name, const struct stat& status) {
  if (const auto error = to_.set_owner(name, status.st_uid, status.st_gid))
    util::throw_errno("cannot set the owner of " + quoted(path), error.value());
  if (!S_ISLNK(status.st_mode)) {
    to_.set_mode(name, status.st_mode & 07777);
    for (const auto& [attribute, value] : from_.xattrs(path)) {
      const auto error = to_.set_xattr(name, attribute, value);
      if (error && attribute == "security.capability")
        util::throw_errno("cannot set the capabilities of " + quoted(path), error.value());
    }
  }
  to_.set_mtime(name, status.st_mtim);
}

}  // namespace sys
