// A tree in one fixed order, hashed.
#include "common/store/fingerprint.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "common/hash/sha256.hpp"
#include "common/sys/disk_use.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/proc.hpp"
#include "common/util/error.hpp"

namespace store {
namespace {

enum class Depth { inodes, content };

class Walk {
public:
  Walk(const Folder& tree, Depth depth, const sys::Cancellation& cancel)
      : tree_(tree), depth_(depth), cancel_(cancel) {}

  hash::Digest run() {
    put_status(tree_.fd(), ".", ".");
    if (depth_ == Depth::content) put_xattrs(tree_.fd(), ".", ".");
    std::vector<std::string> left = {"."};  // paths below the root: no descriptor per level
    while (!left.empty()) {
      const auto path = std::move(left.back());
      left.pop_back();
      const auto directory = open_directory(path);
      put_bytes(path);
      const auto names = names_in(directory.get(), path);
      for (const auto& name : names) {
        cancel_.check();
        auto child = path + "/" + name;
        if (put(directory.get(), name, child)) left.push_back(std::move(child));
      }
    }
    return sha_.finish();
  }

  // Of all that run() has seen. A file of several names counts once, as far as they are in the tree.
  std::uint64_t bytes() const noexcept { return bytes_; }

private:
  [[noreturn]] void fail(const std::string& message, const std::string& path) const {
    util::throw_errno(message + " " + tree_.shown(path));
  }

  void put_bytes(std::string_view bytes) {
    put_number(bytes.size());
    sha_.update(std::as_bytes(std::span(bytes)));
  }

  template <typename Number>
  void put_number(Number number) {
    static_assert(std::is_integral_v<Number>);
    const auto value = static_cast<std::uint64_t>(number);
    sha_.update(std::as_bytes(std::span(&value, 1)));
  }

  // Somebody may put a symlink where a directory was, and none is followed.
  sys::UniqueFd open_directory(const std::string& path) {
    constexpr int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    auto fd = sys::open_beneath(tree_.fd(), path, flags | O_RDONLY);
    if (fd) return fd;
    // Component by component: for tasks without openat2(2), and for paths that are too long for it.
    for (std::size_t begin = 0; begin < path.size();) {
      const auto end = std::min(path.find('/', begin), path.size());
      const auto name = path.substr(begin, end - begin);
      fd = sys::UniqueFd(::openat(fd ? fd.get() : tree_.fd(), name.c_str(),
                                  flags | (end == path.size() ? O_RDONLY : O_PATH)));
      if (!fd) fail("cannot open", path);
      begin = end + 1;
    }
    return fd;
  }

  std::vector<std::string> names_in(int directory, const std::string& path) const {
    auto names = sys::names_in(sys::UniqueFd(::fcntl(directory, F_DUPFD_CLOEXEC, 0)), tree_.shown(path));
    std::sort(names.begin(), names.end());
    return names;
  }

  // True for a directory.
  bool put(int directory, const std::string& name, const std::string& path) {
    put_bytes(name);
    const auto mode = put_status(directory, name, path);
    if (depth_ == Depth::content) {
      if (S_ISLNK(mode)) {
        put_target(directory, name, path);
      } else {
        put_xattrs(directory, name, path);
        if (S_ISREG(mode)) put_content(directory, name, path);
      }
    }
    return S_ISDIR(mode);
  }

  void put_target(int directory, const std::string& name, const std::string& path) {
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(directory, name.c_str(), target.data(), target.size());
    if (size < 0) fail("cannot read", path);
    put_bytes({target.data(), static_cast<std::size_t>(size)});
  }

  void put_content(int directory, const std::string& name, const std::string& path) {
    const sys::UniqueFd fd(
        ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd) fail("cannot open", path);
    const auto what = tree_.shown(path);
    sys::require_regular(fd.get(), what);  // still
    buffer_.resize(256 << 10);
    while (const auto count = sys::read_some(fd.get(), buffer_, what)) {
      cancel_.check();
      sha_.update(std::span(buffer_).first(count));
    }
  }

  mode_t put_status(int directory, const std::string& name, const std::string& path) {
    struct stat status = {};
    if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) fail("cannot look at", path);
    bytes_ += sys::bytes_on_disk(status) / (S_ISDIR(status.st_mode) ? 1 : status.st_nlink);
    put_number(status.st_mode);
    put_number(status.st_uid);
    put_number(status.st_gid);
    put_number(status.st_mtim.tv_sec);
    put_number(status.st_mtim.tv_nsec);
    if (depth_ == Depth::inodes) {
      put_number(status.st_ctim.tv_sec);
      put_number(status.st_ctim.tv_nsec);
    }
    const bool is_device = S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
    put_number(is_device ? status.st_rdev : 0);
    if (S_ISREG(status.st_mode)) {
      put_number(status.st_size);
      put_number(status.st_nlink);
    }
    return status.st_mode;
  }

  // There is no call that takes a directory's descriptor and a name, but the kernel's own link to it does.
  void put_xattrs(int directory, const std::string& entry, const std::string& path) {
    const auto place = sys::link_of(directory) + "/" + entry;
    std::string names(list_size_, '\0');
    ssize_t size = ::llistxattr(place.c_str(), names.data(), names.size());
    while (size < 0 && errno == ERANGE) {
      names.resize(list_size_ *= 2);
      size = ::llistxattr(place.c_str(), names.data(), names.size());
    }
    if (size < 0 && errno != ENOTSUP) fail("cannot look at", path);
    names.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    std::vector<std::string> sorted;
    for (std::size_t begin = 0; begin < names.size();) {
      sorted.emplace_back(names.c_str() + begin);
      begin += sorted.back().size() + 1;
    }
    std::sort(sorted.begin(), sorted.end());
    for (const auto& name : sorted) {
      if (name == "security.selinux") continue;  // the machine's own affair
      put_bytes(name);
      std::string value(64 << 10, '\0');  // XATTR_SIZE_MAX
      const ssize_t got = ::lgetxattr(place.c_str(), name.c_str(), value.data(), value.size());
      put_bytes(std::string_view(value).substr(0, got < 0 ? 0 : static_cast<std::size_t>(got)));
    }
  }

  const Folder& tree_;
  Depth depth_;
  sys::Cancellation cancel_;
  std::vector<std::byte> buffer_;
  hash::Sha256 sha_;
  std::uint64_t bytes_ = 0;
  std::size_t list_size_ = 1024;
};

}  // namespace

Seal seal(const Folder& tree, const sys::Cancellation& cancel) {
  Walk walk(tree, Depth::inodes, cancel);
  auto digest = walk.run();
  return {std::move(digest), walk.bytes()};
}

hash::Digest fingerprint(const Folder& tree, const sys::Cancellation& cancel) {
  return Walk(tree, Depth::content, cancel).run();
}

}  // namespace store
