// Changes that lie in a directory.
#include "common/layer/change_set.hpp"

#include <fcntl.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "common/sys/device_marks.hpp"
#include "common/sys/file.hpp"
#include "common/sys/file_facts.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/proc.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace layer {
namespace {

bool is_missing(int error_number) {
  return error_number == ENOENT || error_number == ENOTDIR || error_number == ELOOP;
}

// The directory where the last work was done stays open: a walk asks for what lies together together.
class DirectoryChanges : public ChangeSet {
public:
  explicit DirectoryChanges(int root) : root_(root) {}
  explicit DirectoryChanges(sys::UniqueFd root) : owned_(std::move(root)), root_(owned_.get()) {}

  std::vector<std::string> list(const std::string& path) const override {
    const auto place = split(path);
    const int parent = enter(place.parent);
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    sys::UniqueFd fd(parent < 0 ? -1 : ::openat(parent, place.name.c_str(), flags));
    if (!fd) util::throw_errno("cannot open " + util::quote(path));
    auto names = sys::names_in(std::move(fd), "the directory " + util::quote(path));
    std::sort(names.begin(), names.end());
    // A directory that changes while it is read may give a name twice.
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

  std::optional<struct stat> status(const std::string& path) const override {
    const auto [parent, name] = split(path);
    const int directory = enter(parent);
    struct stat status;
    if (directory >= 0 && ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
      if (const auto* marks = sys::DeviceMarks::of_process()) marks->show(directory, name, status);
      if (const auto* facts = sys::FileFacts::of_process()) facts->apply(status);
      return status;
    }
    if (is_missing(errno)) return std::nullopt;
    util::throw_errno("cannot look at " + util::quote(path));
  }

  std::string read_link(const std::string& path) const override {
    const auto [parent, name] = split(path);
    const int directory = enter(parent);
    std::array<char, 4097> target;
    const ssize_t size =
        directory < 0 ? -1 : ::readlinkat(directory, name.c_str(), target.data(), target.size());
    if (size < 0) util::throw_errno("cannot read the symlink " + util::quote(path));
    return {target.data(), static_cast<std::size_t>(size)};
  }

  std::string capability(const std::string& path) const override {
    return xattr(path, "security.capability");
  }

  bool has_more_attributes(const std::string& path) const override {
    const auto [parent, name] = split(path);
    const int directory = enter(parent);
    const std::string handle = sys::link_of(directory) + "/" + name;
    std::array<char, 1024> names;
    const ssize_t size = directory < 0 ? -1 : ::llistxattr(handle.c_str(), names.data(), names.size());
    if (size < 0) return errno == ERANGE;
    for (const auto& attribute : util::split({names.data(), static_cast<std::size_t>(size)}, '\0')) {
      if (attribute.empty() || attribute.starts_with("trusted.overlay.") ||
          attribute.starts_with("user.overlay.") || attribute.starts_with("security."))
        continue;
      return true;
    }
    return false;
  }

  bool is_opaque(const std::string& path) const override {
    return xattr(path, "trusted.overlay.opaque") == "y" || xattr(path, "user.overlay.opaque") == "y";
  }

  sys::UniqueFd open(const std::string& path) const override {
    const auto [parent, name] = split(path);
    const int directory = enter(parent);
    if (directory < 0) util::throw_errno("cannot open " + util::quote(path));
    auto fd = sys::find_regular_at(directory, name, util::quote(path));
    const auto* marks = sys::DeviceMarks::of_process();
    if (!fd || (marks != nullptr && marks->is_mark(fd.get())))
      throw util::Error(util::quote(path) + " changed while it was packed");
    return fd;
  }

private:
  struct Place {
    std::string parent;
    std::string name;
  };

  static Place split(const std::string& path) {
    if (path.empty()) return {"", "."};
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return {"", path};
    return {path.substr(0, slash), path.substr(slash + 1)};
  }

  // A descriptor of the directory that stays good until the next call; -1 with errno if there is none. Goes
  // component by component: the kernel would follow a symlink in the middle out of the tree.
  int enter(const std::string& directory) const {
    if (directory.empty()) return root_;
    if (at_ && directory == at_name_) return at_.get();
    const bool below = at_ && directory.starts_with(at_name_ + "/");
    std::string_view rest = directory;
    if (below) rest.remove_prefix(at_name_.size() + 1);
    sys::UniqueFd fd;
    for (std::size_t end = 0; end != std::string_view::npos;) {
      end = rest.find('/');
      const std::string component(rest.substr(0, end));
      const int from = fd ? fd.get() : below ? at_.get() : root_;
      sys::UniqueFd next(::openat(from, component.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!next) return -1;
      fd = std::move(next);
      if (end != std::string_view::npos) rest.remove_prefix(end + 1);
    }
    at_ = std::move(fd);
    at_name_ = directory;
    return at_.get();
  }

  // Empty if it has none. /proc/self/fd is the only way to a name below a directory descriptor before kernel
  // 6.13.
  std::string xattr(const std::string& path, const char* attribute) const {
    const auto [parent, name] = split(path);
    const int directory = enter(parent);
    if (const auto* facts = sys::FileFacts::of_process()) {
      struct stat status;
      if (directory >= 0 && ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
        if (auto known = facts->xattr(status, attribute)) return *std::move(known);
      }
    }
    const std::string handle = sys::link_of(directory) + "/" + name;
    std::array<char, 256> value;
    const ssize_t size =
        directory < 0 ? -1 : ::lgetxattr(handle.c_str(), attribute, value.data(), value.size());
    if (size >= 0) return {value.data(), static_cast<std::size_t>(size)};
    if (errno == ENODATA || errno == ENOTSUP || errno == EPERM) return {};
    util::throw_errno("cannot read the attribute " + std::string(attribute) + " of " + util::quote(path));
  }

  mutable sys::UniqueFd at_;  // empty = none
  mutable std::string at_name_;
  sys::UniqueFd owned_;
  int root_;
};

}  // namespace

std::unique_ptr<ChangeSet> directory_changes(int fd) {
  return std::make_unique<DirectoryChanges>(fd);
}

std::unique_ptr<ChangeSet> directory_changes(const std::filesystem::path& directory) {
  sys::UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) util::throw_errno("cannot open " + util::quote(directory.string()));
  return std::make_unique<DirectoryChanges>(std::move(fd));
}

}  // namespace layer
