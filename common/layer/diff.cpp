// The walk over an overlay's upper directory.
#include "common/layer/diff.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "common/sys/fd.hpp"
#include "common/sys/stop.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace layer {
namespace {

bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && ::major(status.st_rdev) == 0 && ::minor(status.st_rdev) == 0;
}

bool is_missing(int error_number) {
  return error_number == ENOENT || error_number == ENOTDIR;
}

std::optional<struct stat> status_of(int root, const std::string& path) {
  struct stat status;
  if (::fstatat(root, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (is_missing(errno)) return std::nullopt;
  util::throw_errno("cannot look at " + util::quote(path));
}

sys::UniqueFd open_at(int root, const std::string& path, int flags) {
  sys::UniqueFd fd(::openat(root, path.empty() ? "." : path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) util::throw_errno("cannot open " + util::quote(path));
  return fd;
}

std::vector<std::string> sorted_names(int root, const std::string& path) {
  struct Close {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  auto fd = open_at(root, path, O_RDONLY | O_DIRECTORY);
  const std::unique_ptr<DIR, Close> directory(::fdopendir(fd.get()));
  if (!directory) util::throw_errno("cannot read the directory " + util::quote(path));
  fd.release();  // closedir closes it
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
      names.emplace_back(entry->d_name);
  }
  if (errno != 0) util::throw_errno("cannot read the directory " + util::quote(path));
  std::sort(names.begin(), names.end());
  return names;
}

// An extended attribute of an entry, without following symlinks; empty if it has none. /proc/self/fd is the
// only way to one below a directory descriptor before kernel 6.13.
std::string xattr_of(int root, const std::string& path, const char* name) {
  const std::string handle = "/proc/self/fd/" + std::to_string(root) + "/" + path;
  std::array<char, 256> value;
  const ssize_t size = ::lgetxattr(handle.c_str(), name, value.data(), value.size());
  if (size >= 0) return {value.data(), static_cast<std::size_t>(size)};
  if (errno == ENODATA || errno == ENOTSUP || errno == EPERM) return {};
  util::throw_errno("cannot read the attribute " + std::string(name) + " of " + util::quote(path));
}

bool is_opaque(int root, const std::string& path) {
  return xattr_of(root, path, "trusted.overlay.opaque") == "y" ||
         xattr_of(root, path, "user.overlay.opaque") == "y";
}

std::string link_target(int root, const std::string& path) {
  std::array<char, 4097> target;
  const ssize_t size = ::readlinkat(root, path.c_str(), target.data(), target.size());
  if (size < 0) util::throw_errno("cannot read the symlink " + util::quote(path));
  return {target.data(), static_cast<std::size_t>(size)};
}

bool same_content(int upper, int lower, const std::string& path) {
  const auto a = open_at(upper, path, O_RDONLY);
  const auto b = open_at(lower, path, O_RDONLY);
  std::vector<std::byte> left(64 << 10), right(64 << 10);
  for (;;) {
    const std::size_t count = sys::read_some(a.get(), left, util::quote(path));
    std::size_t filled = 0;
    while (filled < count) {
      const std::size_t more =
          sys::read_some(b.get(), std::span(right).subspan(filled, count - filled), util::quote(path));
      if (more == 0) return false;
      filled += more;
    }
    if (count == 0) return true;
    if (std::memcmp(left.data(), right.data(), count) != 0) return false;
  }
}

class Walk {
public:
  Walk(int upper, int lower, const ChangeVisitor& visit) : upper_(upper), lower_(lower), visit_(visit) {}

  void run() { directory("", Below::visible); }

private:
  // Whether what lies below a directory still shows, or an opaque directory has replaced it: then everything
  // below that does not stand in the upper directory again was removed.
  enum class Below { visible, replaced };

  void directory(const std::string& path, Below below) {
    sys::stop::check();
    const auto names = sorted_names(upper_, path);
    std::vector<std::string> lower_names;
    if (below == Below::replaced && lower_ >= 0) {
      if (const auto status = status_of(lower_, path); status && S_ISDIR(status->st_mode)) {
        lower_names = sorted_names(lower_, path);
      }
    }
    auto next_lower = lower_names.begin();
    const auto remove_up_to = [&](const std::string* limit) {
      for (; next_lower != lower_names.end() && (limit == nullptr || *next_lower < *limit); ++next_lower) {
        visit_({.kind = Change::Kind::removed, .path = join(path, *next_lower)});
      }
    };
    for (const auto& name : names) {
      const auto status = status_of(upper_, join(path, name));
      if (!status) continue;
      // A whiteout in a directory that replaced what was below is one of the removals found by comparing.
      if (below == Below::replaced && is_whiteout(*status)) continue;
      remove_up_to(&name);
      if (next_lower != lower_names.end() && *next_lower == name) ++next_lower;
      entry(join(path, name), *status, below);
    }
    remove_up_to(nullptr);
  }

  void entry(const std::string& path, const struct stat& status, Below below) {
    const auto lower_status = lower_ >= 0 ? status_of(lower_, path) : std::nullopt;
    if (is_whiteout(status)) {
      if (lower_status) visit_({.kind = Change::Kind::removed, .path = path});
      return;
    }
    if (!lower_status || !is_same(path, status, *lower_status)) {
      visit_({.kind = Change::Kind::written, .path = path, .status = status});
    }
    if (!S_ISDIR(status.st_mode)) return;
    if (!lower_status || !S_ISDIR(lower_status->st_mode)) {
      below = Below::visible;  // nothing there to be removed
    } else if (is_opaque(upper_, path)) {
      below = Below::replaced;
    }
    directory(path, below);
  }

  bool is_same(const std::string& path, const struct stat& upper, const struct stat& lower) const {
    if (upper.st_mode != lower.st_mode || upper.st_uid != lower.st_uid || upper.st_gid != lower.st_gid ||
        upper.st_rdev != lower.st_rdev) {
      return false;
    }
    if (!S_ISLNK(upper.st_mode) &&
        xattr_of(upper_, path, "security.capability") != xattr_of(lower_, path, "security.capability")) {
      return false;
    }
    if (S_ISDIR(upper.st_mode)) return true;
    if (upper.st_size != lower.st_size || upper.st_mtim.tv_sec != lower.st_mtim.tv_sec ||
        upper.st_mtim.tv_nsec != lower.st_mtim.tv_nsec) {
      return false;
    }
    if (upper.st_mtim.tv_nsec != 0) return true;
    if (S_ISLNK(upper.st_mode)) return link_target(upper_, path) == link_target(lower_, path);
    return !S_ISREG(upper.st_mode) || upper.st_size == 0 || same_content(upper_, lower_, path);
  }

  static std::string join(const std::string& directory, const std::string& name) {
    return directory.empty() ? name : directory + "/" + name;
  }

  int upper_;
  int lower_;
  const ChangeVisitor& visit_;
};

}  // namespace

void diff(int upper, int lower, const ChangeVisitor& visit) {
  Walk(upper, lower, visit).run();
}

}  // namespace layer
