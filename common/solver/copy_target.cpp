// Copies into a directory.
#include "common/solver/copy_target.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>

#include <limits>

#include "common/sys/copy_content.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/path_walk.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

class DirectoryTarget : public CopyTarget {
public:
  DirectoryTarget(sys::RootedDir& root, Over over) : root_(root), over_(over) {}

  std::optional<struct stat> status(const sys::RootedPath& path) override { return root_.status(path); }
  std::string target_of(const sys::RootedPath& symlink) override { return root_.target_of(symlink); }

  void make_directory(const sys::RootedPath& path) override { root_.make_directory(path); }
  void make_symlink(const sys::RootedPath& path, const std::string& target) override {
    root_.make_symlink(path, target);
  }
  void make_hard_link(const sys::RootedPath& path, const sys::RootedPath& existing) override {
    root_.make_hard_link(path, existing);
  }
  std::error_code make_node(const sys::RootedPath& path, mode_t type, dev_t device) override {
    // What stands for a removed file no overlay lets anybody make, and so nobody does anywhere.
    if (over_ == Over::files && type == S_IFCHR && device == 0)
      return std::make_error_code(std::errc::operation_not_permitted);
    return root_.make_node(path, type, device);
  }
  void copy_file(const sys::RootedPath& path, const std::shared_ptr<SourceTree>& source,
                 const std::string& from, const struct stat&, const sys::Cancellation& cancel) override {
    const auto original = source->open(from);
    const auto copy = root_.create_file(path);
    if (::ioctl(copy.get(), FICLONE, original.get()) == 0) return;  // shared until one of them changes
    sys::copy_content({original.get(), util::quote("/" + from)}, {copy.get(), util::quote("/" + path.str())},
                      std::numeric_limits<std::uint64_t>::max(), cancel);
  }
  void remove(const sys::RootedPath& path) override { root_.remove(path); }

  std::error_code set_owner(const sys::RootedPath& path, uid_t uid, gid_t gid) override {
    return root_.set_owner(path, uid, gid);
  }
  void set_mode(const sys::RootedPath& path, mode_t mode) override { root_.set_mode(path, mode); }
  void set_xattr(const sys::RootedPath& path, const std::string& name, std::string_view value) override {
    [[maybe_unused]] const auto error = root_.set_xattr(path, name, value);
  }
  void set_mtime(const sys::RootedPath& path, timespec mtime) override {
    root_.settle();
    root_.set_mtime(path, mtime);
  }

private:
  sys::RootedDir& root_;
  Over over_;
};

}  // namespace

std::unique_ptr<CopyTarget> directory_target(sys::RootedDir& root, Over over) {
  return std::make_unique<DirectoryTarget>(root, over);
}

std::optional<sys::RootedPath> follow(CopyTarget& target, std::string_view path) {
  using Kind = sys::Met::Kind;
  auto walked =
      sys::walk_links(path, most_links, [&](const sys::RootedPath& next, const sys::PathWalk& rest) {
        const auto status = target.status(next);
        if (!status) return sys::Met{Kind::nothing};
        if (S_ISLNK(status->st_mode)) return sys::Met{Kind::symlink, target.target_of(next)};
        return sys::Met{rest.at_end() || S_ISDIR(status->st_mode) ? Kind::passage : Kind::nothing};
      });
  if (walked.end == sys::WalkedTo::End::too_many_links)
    throw util::Error("too many symlinks in " + util::quote(path));
  if (walked.end == sys::WalkedTo::End::nothing) return std::nullopt;
  return std::move(walked.place);
}

}  // namespace solver
