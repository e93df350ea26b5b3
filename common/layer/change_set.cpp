// Changes that lie in a directory.
#include "common/layer/change_set.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace layer {
namespace {

bool is_missing(int error_number) {
  return error_number == ENOENT || error_number == ENOTDIR;
}

class DirectoryChanges : public ChangeSet {
public:
  explicit DirectoryChanges(int root) : root_(root) {}

  std::vector<std::string> list(const std::string& path) const override {
    struct Close {
      void operator()(DIR* directory) const { ::closedir(directory); }
    };
    auto fd = open_at(path, O_RDONLY | O_DIRECTORY);
    const std::unique_ptr<DIR, Close> directory(::fdopendir(fd.get()));
    if (!directory) util::throw_errno("cannot read the directory " + util::quote(path));
    fd.release();  // closedir closes it
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) util::throw_errno("cannot read the directory " + util::quote(path));
    std::sort(names.begin(), names.end());
    return names;
  }

  std::optional<struct stat> status(const std::string& path) const override {
    struct stat status;
    if (::fstatat(root_, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
    if (is_missing(errno)) return std::nullopt;
    util::throw_errno("cannot look at " + util::quote(path));
  }

  std::string read_link(const std::string& path) const override {
    std::array<char, 4097> target;
    const ssize_t size = ::readlinkat(root_, path.c_str(), target.data(), target.size());
    if (size < 0) util::throw_errno("cannot read the symlink " + util::quote(path));
    return {target.data(), static_cast<std::size_t>(size)};
  }

  std::string capability(const std::string& path) const override {
    return xattr(path, "security.capability");
  }

  bool is_opaque(const std::string& path) const override {
    return xattr(path, "trusted.overlay.opaque") == "y" || xattr(path, "user.overlay.opaque") == "y";
  }

  sys::UniqueFd open(const std::string& path) const override { return open_at(path, O_RDONLY); }

private:
  sys::UniqueFd open_at(const std::string& path, int flags) const {
    sys::UniqueFd fd(::openat(root_, path.empty() ? "." : path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) util::throw_errno("cannot open " + util::quote(path));
    return fd;
  }

  // Empty if it has none. /proc/self/fd is the only way to a name below a directory descriptor before kernel
  // 6.13.
  std::string xattr(const std::string& path, const char* name) const {
    const std::string handle = "/proc/self/fd/" + std::to_string(root_) + "/" + path;
    std::array<char, 256> value;
    const ssize_t size = ::lgetxattr(handle.c_str(), name, value.data(), value.size());
    if (size >= 0) return {value.data(), static_cast<std::size_t>(size)};
    if (errno == ENODATA || errno == ENOTSUP || errno == EPERM) return {};
    util::throw_errno("cannot read the attribute " + std::string(name) + " of " + util::quote(path));
  }

  int root_;
};

}  // namespace

std::unique_ptr<ChangeSet> directory_changes(int fd) {
  return std::make_unique<DirectoryChanges>(fd);
}

}  // namespace layer
