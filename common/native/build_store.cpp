// Stores of tasks and of users.
#include "common/native/build_store.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "common/sys/cancellation.hpp"
#include "common/sys/disk_use.hpp"
#include "common/sys/file_facts.hpp"
#include "common/sys/paths.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace native {
namespace {

namespace fs = std::filesystem;

store::Limits limits_of(const document::Cache& cache) {
  store::Limits limits;
  if (cache.max_size) limits.bytes = *cache.max_size;
  if (cache.max_age) limits.age = std::chrono::seconds(*cache.max_age);
  return limits;
}

// Where the other engine keeps blobs, which alone removes them: a layout of its own, and one in the task's
// directory itself that the stock oci-build task has left.
std::vector<fs::path> buildkit_in(const fs::path& cache) {
  return {cache / "buildkit", cache / "blobs"};
}

void mention_buildkit(const fs::path& cache, std::uint64_t large) {
  for (const auto& place : buildkit_in(cache)) {
    const auto blobs = place.filename() == "blobs" ? place : place / "blobs";
    std::uint64_t bytes = 0;
    for (const auto& blob : sys::readable_entries_of(blobs / "sha256")) {
      if (const auto status = sys::find_status(blob, sys::Links::kept))
        bytes += static_cast<std::uint64_t>(status->st_size);
    }
    if (bytes <= large) continue;
    util::log::info("cache: " + util::quote(place.string()) + " holds " + util::human_size(bytes) +
                    " that only ENGINE=buildkit uses; remove it where that is not wanted");
  }
}

// "9 MiB in layers, 3 MiB in unpacked images"
std::string parts_of(const store::Usage& usage) {
  std::vector<std::string> parts;
  const auto add = [&](std::uint64_t bytes, const char* what) {
    if (bytes > 0) parts.push_back(util::human_size(bytes) + " in " + what);
  };
  add(usage.blobs, "layers");
  add(usage.trees, "unpacked images");
  add(usage.mounts, "cache mounts");
  add(usage.records, "records");
  add(usage.partial, "cut downloads");
  return util::join(parts, ", ");
}

// What the user can do something about, one after the other.
class DiskUse {
public:
  void add(std::uint64_t bytes, const std::string& what, const fs::path& place) {
    if (bytes == 0) return;
    uses_.push_back(util::human_size(bytes) + " " + what);
    const auto room = sys::room_on_disk(place);
    if (!room || std::find(rooms_.begin(), rooms_.end(), *room) != rooms_.end()) return;
    rooms_.push_back(*room);
    free_.push_back(util::human_size(room->free) + " of " + util::human_size(room->size) + " by " +
                    util::quote(place.string()));
  }

  std::string str() const {
    if (uses_.empty()) return "";
    return "; what it takes: " + util::join(uses_, "; ") + "; what is free now: " + util::join(free_, ", ");
  }

private:
  std::vector<std::string> uses_;
  std::vector<sys::DiskRoom> rooms_;  // of all disks
  std::vector<std::string> free_;
};

}  // namespace

std::unique_ptr<store::Store> open_store(const document::Request& request,
                                         const std::optional<fs::path>& state_dir, Cache cache,
                                         const fs::path& work_dir) {
  const auto temporary = work_dir / "store";
  std::optional<fs::path> own_trees;
  if (sys::FileFacts::of_process() != nullptr) own_trees = work_dir / "trees";
  if (cache == Cache::passed_over) {
    // As without one, below.
  } else if (request.cache.directory) {
    try {
      return std::make_unique<store::Store>(
          *request.cache.directory / "native",
          store::Options{.owner = store::Owner::store, .spill = temporary, .own_trees = own_trees});
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;
      // A cache may only cost time.
      util::log::warning("the cache is not used: " + std::string(error.what()));
    }
  } else if (state_dir) {
    return std::make_unique<store::Store>(*state_dir,
                                          store::Options{.spill = temporary, .own_trees = own_trees});
  }
  return std::make_unique<store::Store>(temporary, store::Options{.life = store::Life::one_build});
}

std::unique_ptr<store::Store> open_store_to_look(const document::Request& request,
                                                 const std::optional<fs::path>& state_dir,
                                                 const fs::path& work_dir) {
  const auto directory =
      request.cache.directory ? std::optional(*request.cache.directory / "native") : state_dir;
  const auto temporary = work_dir / "store";
  if (!directory) {
    return std::make_unique<store::Store>(temporary, store::Options{.life = store::Life::one_build});
  }
  if (!store::is_store(*directory)) return std::make_unique<store::Store>(temporary);
  return std::make_unique<store::Store>(*directory,
                                        store::Options{.access = store::Access::look, .spill = temporary});
}

void make_room(store::Store& store, const document::Request& request) try {
  if (!store.is_lasting()) return;
  auto limits = limits_of(request.cache);
  if (store.was_full()) limits.bytes = 0;  // the disk is smaller than what is allowed
  const auto pruned = store.prune(limits);
  if (request.cache.directory)
    mention_buildkit(*request.cache.directory, limits_of(request.cache).bytes / 10);
  if (!pruned || pruned->freed == 0) return;
  util::log::info("cache: freed " + util::human_size(pruned->freed) + " not used for longest, " +
                  util::human_size(pruned->left) + " stay");
} catch (const util::Error& error) {
  if (error.is_cancelled()) throw;
  util::log::warning("the cache may grow too large: " + std::string(error.what()));
}

bool make_room_for_another_try(store::Store& store) {
  if (!store.is_lasting()) return false;
  const auto pruned = store.prune({.bytes = 0, .age = std::chrono::seconds(0)});
  if (!pruned || pruned->freed == 0) return false;
  util::log::warning("building again, as the disk was full: freed " + util::human_size(pruned->freed) +
                     " that other builds left in the cache");
  return true;
}

util::Error with_disk_use(const util::Error& error, const document::Request& request, store::Store& store,
                          const fs::path& work_dir) try {
  const sys::Cancellation cancel;
  DiskUse use;
  if (store.is_lasting()) {
    const auto usage = store.usage();
    use.add(usage.total(),
            "the cache " + util::quote(store.directory().string()) + " (" + parts_of(usage) + ")",
            store.directory());
  }
  if (request.cache.directory) {
    for (const auto& place : buildkit_in(*request.cache.directory))
      use.add(sys::disk_use(place, cancel), util::quote(place.string()) + ", which only ENGINE=buildkit uses",
              place);
  }
  for (const auto& target : request.targets) {
    if (!target.output) continue;
    use.add(sys::disk_use(*target.output, cancel), "the output " + util::quote(target.output->string()),
            *target.output);
  }
  use.add(sys::disk_use(work_dir, cancel), "this build in " + util::quote(work_dir.string()), work_dir);
  // Behind the sentence: lines of the Dockerfile may follow it.
  std::string text = error.what();
  text.insert(std::min(text.find('\n'), text.size()), use.str());
  return util::Error(text, error.exit_code(), error.cause());
} catch (const util::Error& failure) {
  if (failure.is_cancelled()) throw;
  return error;
}

}  // namespace native
