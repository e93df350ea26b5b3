// Opening of state directories: format, lock, and what a killed build left.
#include "common/store/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include "common/sys/file.hpp"
#include "common/sys/interrupt.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace store {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::string_view format_name = "oci-build-store/";
constexpr std::string_view format = "oci-build-store/1\n";
constexpr auto partial_life = 24h;  // of a cut download, since its last byte

// The name of every folder this or any other format has; nothing else in the directory is ever removed.
constexpr const char* folders[] = {"blobs", "names", "partial", "trees", "steps", "mounts"};

void make_directory(const fs::path& path, mode_t mode = 0755) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    util::throw_errno("cannot create " + util::quote(path.string()));
}

std::optional<std::string> read_format(const fs::path& directory) {
  const auto path = directory / "format";
  if (::access(path.c_str(), F_OK) != 0) return std::nullopt;
  return sys::read_file(path);
}

// False while someone else's lock is in the way.
bool try_lock(int fd, int operation, const fs::path& path) {
  while (::flock(fd, operation | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) util::throw_errno("cannot lock " + util::quote(path.string()));
  }
  return true;
}

void remove_leftovers(const fs::path& partial) {
  const auto now = fs::file_time_type::clock::now();
  for (const auto& entry : fs::directory_iterator(partial)) {
    const auto name = entry.path().filename().string();
    const bool unowned = name.starts_with("new-") || name.starts_with("tree-");
    std::error_code error;
    const auto age = now - entry.last_write_time(error);
    if (unowned || (!error && age > partial_life)) sys::remove_tree(entry.path());
  }
}

// Alone in the directory: makes it a store of this format.
void prepare(const fs::path& directory) {
  const auto found = read_format(directory);
  if (found && found != format) {
    if (!found->starts_with(format_name)) {
      throw util::Error(util::quote((directory / "format").string()) +
                        " is not of a store; give another state directory");
    }
    for (const auto* folder : folders)
      sys::remove_tree(directory / folder);
  }
  for (const auto* folder : {"blobs", "blobs/sha256", "names"})
    make_directory(directory / folder);
  // Unpacked images hold set-user-ID programs, which are not for everybody on the machine.
  for (const auto* folder : {"partial", "trees"})
    make_directory(directory / folder, 0700);
  remove_leftovers(directory / "partial");
  if (found != format) sys::write_file(directory / "format", format);
}

// A shared lock on a directory that is a store.
sys::UniqueFd open_directory(const fs::path& directory, std::stop_token cancel) {
  make_directory(directory);
  const auto path = directory / "lock";
  sys::UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock) util::throw_errno("cannot open " + util::quote(path.string()));
  const sys::Interrupt interrupt(std::move(cancel));
  for (;;) {
    if (try_lock(lock.get(), LOCK_EX, path)) prepare(directory);
    // Not one step from exclusive to shared: someone else may be exclusive in between, so look again.
    if (try_lock(lock.get(), LOCK_SH, path)) {
      const auto found = read_format(directory);
      if (found == format) return lock;
      if (found)
        throw util::Error(util::quote(directory.string()) + " is in use by a build of another version");
      try_lock(lock.get(), LOCK_UN, path);
    }
    interrupt.sleep(20ms);
  }
}

}  // namespace

Store::Store(fs::path directory, Warn warn, std::stop_token cancel, Life life)
    : directory_(std::move(directory)), warn_(std::move(warn)), cancel_(std::move(cancel)), life_(life) {
  if (life == Life::lasting) parts();
}

Store::Parts& Store::parts() {
  std::call_once(once_, [this] {
    const auto partial = directory_ / "partial";
    parts_.reset(new Parts{.lock = open_directory(directory_, cancel_),
                           .blobs = {directory_ / "blobs" / "sha256", partial, warn_},
                           .names = {directory_ / "names", warn_},
                           .trees = {directory_ / "trees", partial, warn_, life_}});
  });
  return *parts_;
}

}  // namespace store
