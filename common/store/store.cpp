// Opening of state directories: format, lock, and what a killed build left.
#include "common/store/store.hpp"

#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include "common/store/entries.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
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

constexpr std::uint64_t most_format_bytes = 4096;

void make_directory(const fs::path& path, const Options& options) {
  if (options.owner == Owner::store) return require_directory(path, 0755, options.warn);
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
    util::throw_errno("cannot create " + util::quote(path.string()));
}

// Nothing also for a file that says nothing: then what lies beside it is looked at as ever when it is used.
std::optional<std::string> read_format(const fs::path& directory, const Options& options) {
  const auto path = directory / "format";
  std::string found;
  try {
    const auto fd = sys::find_readable(path, sys::Readable::entry);
    if (!fd) return std::nullopt;
    found = sys::read_to_end(fd.get(), util::quote(path.string()), most_format_bytes);
    const bool is_torn = format_name.starts_with(std::string_view(found).substr(0, format_name.size()));
    const bool is_ours = found.starts_with(format_name) && found.ends_with('\n');
    if (is_ours || (!is_torn && options.owner == Owner::user)) return found;
    throw util::Error(util::quote(path.string()) + " is damaged");
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    if (!remove_entry(path)) throw;
    options.warn("replaced the mark of the store: " + std::string(error.what()));
    return std::nullopt;
  }
}

// False while someone else's lock is in the way.
bool try_lock(int fd, int operation, const fs::path& path) {
  while (::flock(fd, operation | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) util::throw_errno("cannot lock " + util::quote(path.string()));
  }
  return true;
}

void remove_leftovers(const fs::path& partial, const Warn& warn) {
  const auto now = std::chrono::system_clock::now();
  for (const auto& entry : sys::entries_of(partial)) {
    const auto name = entry.filename().string();
    const bool unowned = name.starts_with("new-") || name.starts_with("tree-");
    const bool is_odd = !unowned && !is_own_file(entry);
    if (!unowned && !is_odd) {
      const auto status = sys::find_status(entry, sys::Links::kept);
      if (!status || now - std::chrono::system_clock::from_time_t(status->st_mtime) <= partial_life) continue;
    }
    if (!remove_entry(entry)) {
      warn("cannot remove " + util::quote(entry.string()) + " from the store");
    } else if (is_odd) {
      warn("removed " + util::quote(entry.string()) + " from the store, which is no file of its own");
    }
  }
}

void require_folders(const fs::path& directory, const Warn& warn) {
  for (const auto* folder : {"blobs", "blobs/sha256", "names"})
    require_directory(directory / folder, 0755, warn);
  // Unpacked images hold set-user-ID programs, which are not for everybody on the machine.
  for (const auto* folder : {"partial", "trees"})
    require_directory(directory / folder, 0700, warn);
}

// Alone in the directory: makes it a store of this format.
void prepare(const fs::path& directory, const Options& options) {
  const auto found = read_format(directory, options);
  if (found && found != format) {
    if (!found->starts_with(format_name)) {
      throw util::Error(util::quote((directory / "format").string()) +
                        " is not of a store; give another state directory");
    }
    for (const auto* folder : folders)
      sys::remove_tree(directory / folder);
  }
  require_folders(directory, options.warn);
  remove_leftovers(directory / "partial", options.warn);
  if (found != format) write_entry(directory / "format", format, directory / "partial");
}

// A shared lock on a directory that is a store.
sys::UniqueFd open_directory(const fs::path& directory, const Options& options) {
  make_directory(directory, options);
  const auto path = directory / "lock";
  if (!is_own_file(path))
    options.warn("replaced " + util::quote(path.string()) + ", which is no file of the store");
  auto lock = open_own_file(path);
  for (;;) {
    if (try_lock(lock.get(), LOCK_EX, path)) prepare(directory, options);
    // Not one step from exclusive to shared: someone else may be exclusive in between, so look again.
    if (try_lock(lock.get(), LOCK_SH, path)) {
      const auto found = read_format(directory, options);
      if (found == format) {
        require_folders(directory, options.warn);
        return lock;
      }
      if (found)
        throw util::Error(util::quote(directory.string()) + " is in use by a build of another version");
      try_lock(lock.get(), LOCK_UN, path);
    }
    options.cancel.sleep(20ms);
  }
}

}  // namespace

Store::Store(fs::path directory, Options options)
    : directory_(std::move(directory)),
      options_(std::move(options)),
      spill_(options_.spill, directory_, options_.warn) {
  if (options_.life == Life::lasting) parts();
}

Store::Parts& Store::parts() {
  std::call_once(once_, [this] {
    const auto partial = directory_ / "partial";
    const auto& warn = options_.warn;
    parts_.reset(new Parts{.lock = open_directory(directory_, options_),
                           .blobs = {directory_ / "blobs" / "sha256", partial, warn, spill_},
                           .names = {directory_ / "names", partial, warn, spill_},
                           .trees = {directory_ / "trees", partial, warn, options_.life, spill_}});
  });
  return *parts_;
}

}  // namespace store
