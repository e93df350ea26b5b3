// Copies by descriptors, entry by entry.
#include "common/snapshot/tree_copy.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>
#include <utility>

#include "common/layer/change_set.hpp"
#include "common/sys/copy_content.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace snapshot {
namespace {

std::string quoted(const sys::RootedPath& path) {
  return util::quote("/" + path.str());
}

bool is_device(const struct stat& status) {
  return S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
}

// One tree put over another.
class Application {
public:
  Application(const std::filesystem::path& from, const std::filesystem::path& to,
              const sys::Cancellation& cancel)
      : changes_(layer::directory_changes(from)),
        from_(sys::RootedDir::open(from)),
        to_(sys::RootedDir::open(to)),
        copy_(from_, to_, cancel) {}

  void run() {
    const sys::RootedPath root;
    const auto status = from_.status(root);
    if (status) copy_.entry(root, *status);
    directory(root);
    to_.settle();
  }

private:
  void directory(const sys::RootedPath& path) {
    for (const auto& name : changes_->list(path.str()))
      entry(path.child(name));
  }

  void entry(const sys::RootedPath& path) {
    const auto status = changes_->status(path.str());
    if (!status) return;
    if (layer::is_whiteout(*status)) return to_.remove(path);
    const auto present = to_.status(path);
    const bool is_directory = S_ISDIR(status->st_mode);
    if (present && !(is_directory && S_ISDIR(present->st_mode) && !changes_->is_opaque(path.str())))
      to_.remove(path);
    copy_.entry(path, *status);
    if (is_directory) directory(path);
  }

  std::unique_ptr<layer::ChangeSet> changes_;
  sys::RootedDir from_;
  sys::RootedDir to_;
  TreeCopy copy_;
};

}  // namespace

void TreeCopy::entry(const sys::RootedPath& path, const struct stat& status) {
  cancel_.check();
  const bool has_more_names = !S_ISDIR(status.st_mode) && status.st_nlink > 1;
  if (has_more_names) {
    const auto [first, is_new] = copied_.try_emplace(status.st_ino, path);
    if (!is_new) return to_.make_hard_link(path, first->second);
  }
  make(path, path, status);
}

void TreeCopy::entry_as(const sys::RootedPath& path, const sys::RootedPath& name, const struct stat& status) {
  make(path, name, status);
}

void TreeCopy::make(const sys::RootedPath& path, const sys::RootedPath& name, const struct stat& status) {
  if (S_ISDIR(status.st_mode)) {
    if (!to_.status(name)) to_.make_directory(name);
  } else if (S_ISREG(status.st_mode)) {
    copy_file(path, name, status);
  } else if (S_ISLNK(status.st_mode)) {
    to_.make_symlink(name, from_.target_of(path));
  } else if (const auto error = to_.make_node(name, status.st_mode & S_IFMT, status.st_rdev)) {
    if (!is_device(status)) util::throw_errno("cannot create " + quoted(path), error.value());
    util::log::debug("the device " + quoted(path) + " cannot be made here");
    copied_.erase(status.st_ino);
    return;
  }
  copy_metadata(path, name, status);
}

void TreeCopy::copy_file(const sys::RootedPath& path, const sys::RootedPath& name,
                         const struct stat& status) {
  auto target = to_.create_file(name);
  if (status.st_size > 0) {
    const auto source = from_.open_file(path);
    if (!source) throw util::Error(quoted(path) + " changed while it was copied");
    sys::copy_content({source.get(), quoted(path)}, {target.get(), "the copy of " + quoted(path)},
                      std::numeric_limits<std::uint64_t>::max(), cancel_);
  }
  sys::close_checked(std::move(target), "the copy of " + quoted(path));
}

// In this order: a new owner takes set-id bits and capabilities away, a new mode changes an ACL.
void TreeCopy::copy_metadata(const sys::RootedPath& path, const sys::RootedPath& name,
                             const struct stat& status) {
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

void apply_tree(const std::filesystem::path& from, const std::filesystem::path& to,
                const sys::Cancellation& cancel) {
  Application(from, to, cancel).run();
}

}  // namespace snapshot
