// Where the trees of a step are attached: places walked to by descriptors, so that no symlink leads
// elsewhere.
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>

#include "common/sandbox/child_steps.hpp"
#include "common/sandbox/mount_points.hpp"

namespace sandbox {
namespace {

bool is_in_proc(std::string_view place) noexcept {
  return place == "/proc" || place.starts_with("/proc/");
}

// Walks to the place of a mount component by component, so that the kernel follows no symlink, and makes what
// is missing. The root is the process's own.
class Walk {
public:
  // A descriptor of the place, -1 with errno: ENOTDIR if it is not what `point` says, EBUSY if it is the
  // root, EXDEV if it may not be mounted on because it lies in /proc.
  int to(const char* target, MountStep::Point point) noexcept {
    if (!prepend(target, std::strlen(target)) || !restart()) return -1;
    while (const std::size_t length = take_component()) {
      if (is(length, ".")) continue;
      if (is(length, "..") ? !go_up() : !enter(length, point)) return -1;
    }
    if (place_[0] == '\0') {
      errno = EBUSY;
      return -1;
    }
    if (is_in_proc(place_) && !may_be_covered_in_proc(place_)) {
      errno = EXDEV;
      return -1;
    }
    struct stat status;
    if (::fstat(at_, &status) != 0) return -1;
    errno = ENOTDIR;
    return S_ISDIR(status.st_mode) == (point == MountStep::Point::directory) ? at_ : -1;
  }

  // Whether the place had to be made.
  bool is_made() const noexcept { return is_made_; }

private:
  static constexpr int max_symlinks = 255;
  static constexpr int path_flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;

  bool prepend(const char* text, std::size_t size) noexcept {
    if (size + 1 > rest_) {
      errno = ENAMETOOLONG;
      return false;
    }
    path_[--rest_] = '/';
    rest_ -= size;
    std::memcpy(path_ + rest_, text, size);
    return true;
  }

  bool set_place(int fd) noexcept {
    if (fd < 0) return false;
    if (at_ >= 0) ::close(at_);
    at_ = fd;
    return true;
  }

  bool restart() noexcept {
    place_[0] = '\0';
    return set_place(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }

  bool is(std::size_t length, std::string_view text) const noexcept {
    return std::string_view(component_, length) == text;
  }

  // 0 at the end.
  std::size_t take_component() noexcept {
    while (rest_ < sizeof path_ && path_[rest_] == '/')
      ++rest_;
    component_ = path_ + rest_;
    std::size_t length = 0;
    while (rest_ < sizeof path_ && path_[rest_] != '/') {
      ++rest_;
      ++length;
    }
    if (rest_ < sizeof path_) path_[rest_++] = '\0';
    return length;
  }

  bool is_last() const noexcept {
    for (std::size_t i = rest_; i < sizeof path_; ++i) {
      if (path_[i] != '/') return false;
    }
    return true;
  }

  // As text, because a directory may have been moved meanwhile.
  bool go_up() noexcept {
    char place[PATH_MAX];
    std::memcpy(place, place_, sizeof place);
    if (char* const slash = std::strrchr(place, '/')) *slash = '\0';
    if (!restart()) return false;
    for (char* name = place; *name == '/';) {
      ++name;
      char* const end = std::strchr(name, '/');
      if (end != nullptr) *end = '\0';
      if (!set_place(::openat(at_, name, path_flags | O_DIRECTORY)) || !append(name)) return false;
      if (end == nullptr) break;
      *end = '/';
      name = end;
    }
    return true;
  }

  bool append(const char* name) noexcept {
    const std::size_t size = std::strlen(place_);
    if (size + std::strlen(name) + 2 > sizeof place_) {
      errno = ENAMETOOLONG;
      return false;
    }
    place_[size] = '/';
    std::strcpy(place_ + size + 1, name);
    return true;
  }

  int open_or_make(MountStep::Point point) noexcept {
    int fd = ::openat(at_, component_, path_flags);
    is_made_ = fd < 0;
    if (fd >= 0 || errno != ENOENT) return fd;
    if (is_in_proc(place_)) {
      errno = EXDEV;
      return -1;
    }
    if (is_last() && point == MountStep::Point::file) {
      const int made = ::openat(at_, component_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0755);
      if (made < 0 && errno != EEXIST) return -1;
      if (made >= 0) ::close(made);
    } else if (::mkdirat(at_, component_, 0755) != 0 && errno != EEXIST) {
      return -1;
    }
    return ::openat(at_, component_, path_flags);
  }

  bool enter(std::size_t length, MountStep::Point point) noexcept {
    if (length > NAME_MAX) {
      errno = ENAMETOOLONG;
      return false;
    }
    const int next = open_or_make(point);
    struct stat status;
    if (next < 0 || ::fstat(next, &status) != 0) return false;
    if (!S_ISLNK(status.st_mode)) return append(component_) && set_place(next);
    return follow(next);
  }

  // Links of /proc do not lead where they say.
  bool follow(int link) noexcept {
    char target[PATH_MAX];
    const bool in_proc = is_in_proc(place_);
    const ssize_t size = ::readlinkat(link, "", target, sizeof target);
    ::close(link);
    if (in_proc) errno = EXDEV;
    if (++symlinks_ > max_symlinks) errno = ELOOP;
    if (size < 0 || in_proc || symlinks_ > max_symlinks) return false;
    if (target[0] == '/' && !restart()) return false;
    return prepend(target, static_cast<std::size_t>(size));
  }

  char path_[3 * PATH_MAX];          // what is left to walk, at its end
  std::size_t rest_ = sizeof path_;  // where that begins
  const char* component_ = path_;    // the current one, terminated
  char place_[PATH_MAX];             // where at_ is: "" is the root, else "/a/b"
  int at_ = -1;
  int symlinks_ = 0;
  bool is_made_ = false;  // the last component
};

bool take_mode(int tree, int place) noexcept {
  struct stat status;
  return ::fstat(place, &status) == 0 && ::fchmodat(tree, ".", status.st_mode & 07777, 0) == 0;
}

bool attach(const MountStep& step) noexcept {
  Walk walk;
  const int place = walk.to(step.target.c_str(), step.point);
  if (place >= 0 && step.takes_mode && !walk.is_made() && !take_mode(step.tree.get(), place)) return false;
  if (place < 0 || !restrict_tree(step.tree.get(), step.attributes) ||
      !move_tree(step.tree.get(), place, "", MOVE_MOUNT_T_EMPTY_PATH)) {
    return false;
  }
  ::close(place);
  return true;
}

}  // namespace

void attach_trees(const ChildPlan& plan) noexcept {
  for (std::size_t i = 0; i < plan.system.size(); ++i) {
    const auto& base = plan.system[i].base;
    const char* const name = base.target.c_str();
    if (::mkdir(name, 0755) != 0 && errno != EEXIST) fail(plan, Failure::Step::system, static_cast<int>(i));
    const int place = ::open(name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (place < 0) fail(plan, Failure::Step::no_directory, static_cast<int>(i));
    if (!move_tree(base.tree.get(), place, "", MOVE_MOUNT_T_EMPTY_PATH))
      fail(plan, Failure::Step::system, static_cast<int>(i));
    ::close(place);
  }
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    if (!attach(plan.mounts[i]))
      fail(plan, errno == EXDEV ? Failure::Step::mount_in_proc : Failure::Step::mount, static_cast<int>(i));
  }
}

}  // namespace sandbox
