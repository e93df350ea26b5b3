// Removes trees with a bounded number of descriptors and no recursion.
#include "common/sys/remove_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace sys {
namespace {

struct CloseDir {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDir>;

// A directory being emptied.
struct Level {
  std::string name;
  Directory directory;
  bool found_entries = false;  // since the last rewind

  int fd() const { return ::dirfd(directory.get()); }
};

// Whether a stop has been requested and removals of this process have had what time that leaves. What is
// small goes even where the machine is slow.
bool has_been_at_it_for_long() {
  if (cancelling_signal() == 0) return false;
  using Clock = std::chrono::steady_clock;
  constexpr std::uint64_t small = 1000;
  constexpr std::uint64_t large = 20'000;
  static const auto deadline = Clock::now() + std::chrono::milliseconds(300);
  static std::atomic<std::uint64_t> entries = 0;
  const auto count = ++entries;
  return count > large || (count > small && Clock::now() > deadline);
}

// When to give up.
enum class Until { the_end, cancelled, long_after_a_stop };

// Descriptors held open at once. What lies deeper is moved up to the top first, so that depth costs nothing.
constexpr std::size_t max_levels = 64;

class Removal {
public:
  Removal(int parent, const std::string& name, const std::string& what, Until until,
          const Cancellation& cancel = {})
      : parent_(parent), what_(what), until_(until), cancel_(cancel) {
    if (!unlink(parent, name.c_str())) descend(parent, name);
  }

  void run() {
    while (!levels_.empty()) {
      errno = 0;
      const dirent* entry = ::readdir(levels_.back().directory.get());
      if (entry == nullptr) {
        if (errno != 0) fail("cannot read", "");
        ascend();
      } else if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
        levels_.back().found_entries = true;
        remove(entry->d_name, entry->d_type == DT_DIR);
      }
    }
  }

private:
  void remove(const std::string& name, bool is_directory) {
    if (until_ == Until::cancelled || (until_ == Until::long_after_a_stop && has_been_at_it_for_long()))
      cancel_.check();
    const int directory = levels_.back().fd();
    if (unlink(directory, name.c_str(), is_directory)) return;
    if (levels_.size() < max_levels) {
      descend(directory, name);
    } else {
      move_to_top(directory, name);
    }
  }

  // False if it is a directory that holds something. `is_directory` is a guess, as a right one spares a call.
  bool unlink(int directory, const char* name, bool is_directory = true) {
    bool guessed_wrong = false;
    bool made_writable = false;
    for (;;) {
      if (::unlinkat(directory, name, is_directory ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT) return true;
      if (errno == ENOTEMPTY || errno == EEXIST) return false;
      if (errno == (is_directory ? ENOTDIR : EISDIR) && !guessed_wrong) {
        guessed_wrong = true;
        is_directory = !is_directory;
      } else if (errno == EACCES && !made_writable && !levels_.empty()) {
        made_writable = true;
        ::fchmod(directory, 0700);
      } else {
        fail("cannot remove", name);
      }
    }
  }

  void descend(int directory, const std::string& name) {
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    UniqueFd fd(::openat(directory, name.c_str(), flags));
    if (!fd && errno == EACCES && ::fchmodat(directory, name.c_str(), 0700, AT_SYMLINK_NOFOLLOW) == 0)
      fd = UniqueFd(::openat(directory, name.c_str(), flags));
    if (!fd) fail("cannot open", name);
    Directory opened(::fdopendir(fd.get()));
    if (!opened) fail("cannot open", name);
    static_cast<void>(fd.release());  // closedir closes it
    levels_.push_back({name, std::move(opened)});
  }

  // The directory at hand was read to its end.
  void ascend() {
    Level done = std::move(levels_.back());
    levels_.pop_back();
    const int directory = levels_.empty() ? parent_ : levels_.back().fd();
    if (unlink(directory, done.name.c_str())) return;
    // Not all was seen: something was moved here, or the filesystem reads on from where a removed entry was.
    if (!done.found_entries) util::throw_errno("cannot remove " + util::quote(what_), ENOTEMPTY);
    ::rewinddir(done.directory.get());
    done.found_entries = false;
    levels_.push_back(std::move(done));
  }

  void move_to_top(int directory, const std::string& name) {
    for (;;) {
      const std::string free_name = ".removed-" + std::to_string(moved_++);
      if (::renameat2(directory, name.c_str(), levels_.front().fd(), free_name.c_str(), 0) == 0) return;
      if (errno == EACCES && ::fchmodat(directory, name.c_str(), 0700, AT_SYMLINK_NOFOLLOW) == 0 &&
          ::renameat2(directory, name.c_str(), levels_.front().fd(), free_name.c_str(), 0) == 0) {
        return;
      }
      if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) fail("cannot remove", name);
    }
  }

  [[noreturn]] void fail(const std::string& message, const std::string& name) const {
    const int error = errno;
    std::string path = what_;
    for (std::size_t i = 1; i < levels_.size(); ++i)
      path += "/" + levels_[i].name;
    if (!levels_.empty() && !name.empty()) path += "/" + name;
    util::throw_errno(message + " " + util::quote(path), error);
  }

  int parent_;
  std::string what_;
  Until until_;
  Cancellation cancel_;
  std::vector<Level> levels_;
  std::uint64_t moved_ = 0;
};

// Opens the directory that holds the last component of a path of any length and cuts `path` down to that
// component.
UniqueFd open_parent(std::string& path) {
  constexpr std::size_t longest = 4000;  // below PATH_MAX
  constexpr int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  UniqueFd directory(::open(path.starts_with('/') ? "/" : ".", flags));
  while (directory && path.size() > longest) {
    const auto slash = path.rfind('/', longest);
    if (slash == std::string::npos || slash + 1 == path.size()) break;
    if (slash > 0) directory = UniqueFd(::openat(directory.get(), path.substr(0, slash).c_str(), flags));
    path.erase(0, slash + 1);
  }
  return directory;
}

void remove(const std::filesystem::path& path, Until until, const Cancellation& cancel = {}) {
  std::string rest = path.string();
  while (rest.size() > 1 && rest.ends_with('/'))
    rest.pop_back();
  const auto parent = open_parent(rest);
  if (!parent) {
    if (errno == ENOENT) return;
    util::throw_errno("cannot remove " + util::quote(path.string()));
  }
  Removal(parent.get(), rest, path.string(), until, cancel).run();
}

}  // namespace

void remove_tree_at(int directory, const std::string& name, const std::string& what) {
  Removal(directory, name, what, Until::the_end).run();
}

void remove_tree_at(int directory, const std::string& name, const std::string& what,
                    const Cancellation& cancel) {
  Removal(directory, name, what, Until::cancelled, cancel).run();
}

void remove_tree(const std::filesystem::path& path) {
  remove(path, Until::the_end);
}

void remove_tree(const std::filesystem::path& path, const Cancellation& cancel) {
  remove(path, Until::cancelled, cancel);
}

void discard_tree(const std::filesystem::path& path) {
  try {
    remove(path, Until::long_after_a_stop);
  } catch (const util::Error& error) {
    if (!error.is_cancelled()) return util::log::warning(error.what());
    util::log::debug("leaving " + util::quote(path.string()) + " to the next build, as it holds much");
  }
}

}  // namespace sys
