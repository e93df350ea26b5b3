// Opening of state directories: format, lock, and what a killed build left.
#include "common/store/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include "common/store/entries.hpp"
#include "common/store/lock_file.hpp"
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
constexpr auto format_file = "format";
constexpr auto lock_file = "lock";
constexpr auto partial_life = 24h;  // of a cut download, since its last byte

// The name of every folder this or any other format has; nothing else in the directory is ever removed.
constexpr const char* all_folders[] = {"blobs", "names", "partial", "trees", "steps", "mounts"};

constexpr std::uint64_t most_format_bytes = 4096;

// The folders of a store, each opened once: what becomes of their names while the store is open leads
// nowhere.
struct Folders {
  Folder blobs;
  Folder names;
  Folder partial;
  Folder trees;
  Folder steps;
};

struct Opened {
  Folder directory;
  sys::UniqueFd lock;
  Folders folders;
  std::timespec since;  // what is used from now on has this time of use, or a later one
};

sys::UniqueFd open_path(const fs::path& path) {
  return sys::UniqueFd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// Where the user chose the directory, its path may hold symlinks of his.
Folder open_top(const fs::path& directory, const Options& options) {
  const auto what = util::quote(directory.string());
  if (options.owner == Owner::store) {
    auto parent = directory.parent_path();
    if (parent.empty()) parent = ".";
    auto fd = open_path(parent);
    if (!fd) util::throw_errno("cannot create " + what);
    return require_folder(Folder(std::move(fd), std::move(parent)), directory.filename(), 0755, options.warn);
  }
  if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) util::throw_errno("cannot create " + what);
  auto fd = open_path(directory);
  if (!fd) util::throw_errno("cannot open " + what);
  return {std::move(fd), directory};
}

// Nothing also for a file that says nothing: then what lies beside it is looked at as ever when it is used.
std::optional<std::string> read_format(const Folder& directory, const Options& options) {
  const auto what = directory.shown(format_file);
  std::string found;
  try {
    const auto fd = find_file(directory, format_file);
    if (!fd) return std::nullopt;
    found = sys::read_to_end(fd.get(), what, most_format_bytes);
    const bool is_torn = format_name.starts_with(std::string_view(found).substr(0, format_name.size()));
    const bool is_ours = found.starts_with(format_name) && found.ends_with('\n');
    if (is_ours || (!is_torn && options.owner == Owner::user)) return found;
    throw util::Error(what + " is damaged");
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    if (!remove_entry(directory, format_file)) throw;
    options.warn("replaced the mark of the store: " + std::string(error.what()));
    return std::nullopt;
  }
}

void remove_leftovers(const Folder& partial, const Options& options) {
  const auto now = std::chrono::system_clock::now();
  for (const auto& name : sys::names_in(partial.open_list(), "the directory " + partial.shown())) {
    const bool unowned = is_leftover(name);
    const bool is_odd = !unowned && !is_own_file(partial, name);
    if (!unowned && !is_odd) {
      struct stat status = {};
      if (::fstatat(partial.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
          now - std::chrono::system_clock::from_time_t(status.st_mtime) <= partial_life)
        continue;
    }
    if (!remove_entry(partial, name, options.cancel)) {
      options.warn("cannot remove " + partial.shown(name) + " from the store");
    } else if (is_odd) {
      options.warn("removed " + partial.shown(name) + " from the store, which is no file of its own");
    }
  }
}

Folders require_folders(const Folder& directory, const Warn& warn) {
  const auto blobs = require_folder(directory, "blobs", 0755, warn);
  // Unpacked images hold set-user-ID programs, which are not for everybody on the machine.
  return {.blobs = require_folder(blobs, "sha256", 0755, warn),
          .names = require_folder(directory, "names", 0755, warn),
          .partial = require_folder(directory, "partial", 0700, warn),
          .trees = require_folder(directory, "trees", 0700, warn),
          .steps = require_folder(directory, "steps", 0755, warn)};
}

// Alone in the directory: makes it a store of this format.
void prepare(const Folder& directory, const Options& options) {
  const auto found = read_format(directory, options);
  if (found && found != format) {
    if (!found->starts_with(format_name)) {
      throw util::Error(directory.shown(format_file) + " is not of a store; give another state directory");
    }
    for (const auto* folder : all_folders)
      sys::remove_tree_at(directory.fd(), folder, directory.shown(folder));
  }
  const auto folders = require_folders(directory, options.warn);
  remove_leftovers(folders.partial, options);
  if (found != format) write_entry(directory, format_file, format, folders.partial);
}

// A directory that is a store, with a shared lock on it.
Opened open_directory(const fs::path& path, const Options& options) {
  auto directory = open_top(path, options);
  const auto what = directory.shown(lock_file);
  if (!is_own_file(directory, lock_file))
    options.warn("replaced " + what + ", which is no file of the store");
  auto lock = open_own_file(directory, lock_file);
  for (;;) {
    if (try_lock(lock.get(), LOCK_EX, what)) prepare(directory, options);
    // Not one step from exclusive to shared: someone else may be exclusive in between, so look again.
    if (try_lock(lock.get(), LOCK_SH, what)) {
      const auto found = read_format(directory, options);
      if (found == format) {
        auto folders = require_folders(directory, options.warn);
        const auto since = touch(lock.get(), what);
        return {std::move(directory), std::move(lock), std::move(folders), since};
      }
      if (found) throw util::Error(directory.shown() + " is in use by a build of another version");
      try_lock(lock.get(), LOCK_UN, what);
    }
    options.cancel.sleep(20ms);
  }
}

// As open_directory(), without a change to anything.
std::optional<Opened> open_to_look(const fs::path& path, const Options& options) {
  auto fd = open_path(path);
  if (!fd) return std::nullopt;
  Folder directory(std::move(fd), path);
  auto lock = find_file(directory, lock_file);
  if (!lock) return std::nullopt;
  while (!try_lock(lock.get(), LOCK_SH, directory.shown(lock_file)))
    options.cancel.sleep(20ms);
  const auto mark = find_file(directory, format_file);
  if (!mark || sys::read_to_end(mark.get(), directory.shown(format_file), most_format_bytes) != format)
    return std::nullopt;
  auto all_blobs = find_folder(directory, "blobs");
  if (!all_blobs) return std::nullopt;
  auto blobs = find_folder(*all_blobs, "sha256");
  auto names = find_folder(directory, "names");
  auto partial = find_folder(directory, "partial");
  auto trees = find_folder(directory, "trees");
  auto steps = find_folder(directory, "steps");
  if (!blobs || !names || !partial || !trees || !steps) return std::nullopt;
  return Opened{
      std::move(directory),
      std::move(lock),
      {std::move(*blobs), std::move(*names), std::move(*partial), std::move(*trees), std::move(*steps)},
      {}};
}

Opened open_as_wanted(const fs::path& path, const Options& options) {
  if (options.access == Access::full) return open_directory(path, options);
  auto opened = open_to_look(path, options);
  if (!opened) throw util::Error(util::quote(path.string()) + " is no state directory");
  return std::move(*opened);
}

}  // namespace

bool is_store(const fs::path& directory) try {
  return open_to_look(directory, {}).has_value();
} catch (const util::Error& error) {
  if (error.is_cancelled()) throw;
  return false;
}

struct Store::Parts {
  Parts(Opened opened_store, const Options& options, Spill& spill)
      : opened(std::move(opened_store)),
        blobs(opened.folders.blobs, opened.folders.partial, options.warn, spill),
        names(opened.folders.names, opened.folders.partial, options.warn, spill),
        steps(opened.folders.steps, opened.folders.partial, options.warn, spill),
        seals(opened.folders.steps, opened.folders.partial, spill, options.tells_changes),
        trees(std::in_place, opened.folders.trees, opened.folders.partial, options.warn, options.life, spill),
        mounts(opened.directory, opened.folders.partial, options.warn, spill) {}

  Opened opened;
  Blobs blobs;
  Names names;
  Steps steps;
  Seals seals;
  std::optional<Trees> trees;  // nothing once the store was pruned
  Mounts mounts;
};

Store::Store(fs::path directory, Options options)
    : directory_(std::move(directory)),
      options_(std::move(options)),
      spill_(options_.spill, directory_, options_.warn, options_.access == Access::look) {
  if (options_.own_trees)
    own_trees_ =
        std::make_unique<Store>(*options_.own_trees, Options{.warn = options_.warn, .life = Life::one_build});
  if (options_.life == Life::lasting) parts();
}

Store::~Store() = default;

Blobs& Store::blobs() {
  return parts().blobs;
}

Names& Store::names() {
  return parts().names;
}

Steps& Store::steps() {
  return parts().steps;
}

Seals* Store::seals() {
  return is_lasting() ? &parts().seals : nullptr;
}

Trees& Store::trees() {
  if (own_trees_) return own_trees_->trees();
  return parts().trees.value();
}

Mounts& Store::mounts() {
  return parts().mounts;
}

bool Store::is_sound() {
  return (!parts_ || parts_->trees->are_sound()) && (!own_trees_ || own_trees_->is_sound());
}

std::optional<Pruned> Store::prune(const Limits& limits) {
  auto& opened = parts().opened;
  parts().trees.reset();                     // no thread of it writes any more
  const auto lock = std::move(opened.lock);  // goes at the end: others may be waiting
  if (!lock || !try_lock(lock.get(), LOCK_EX, opened.directory.shown(lock_file))) return std::nullopt;
  return store::prune(places(), limits, opened.since, options_.warn, options_.cancel);
}

Usage Store::usage() {
  return usage_of(places(), options_.cancel);
}

Places Store::places() {
  auto& all = parts();
  const auto& folders = all.opened.folders;
  return {folders.blobs, folders.names, folders.partial, folders.trees, folders.steps, all.mounts.find()};
}

Store::Parts& Store::parts() {
  std::call_once(once_, [this] {
    parts_ = std::make_unique<Parts>(open_as_wanted(directory_, options_), options_, spill_);
  });
  return *parts_;
}

}  // namespace store
