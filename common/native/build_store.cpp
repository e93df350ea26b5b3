// Stores of tasks and of users.
#include "common/native/build_store.hpp"

#include <chrono>

#include "common/sys/paths.hpp"
#include "common/util/full_disk.hpp"
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

// Of the other engine, which alone removes it.
void mention_buildkit(const fs::path& cache, std::uint64_t large) {
  const auto blobs = cache / "buildkit" / "blobs" / "sha256";
  std::uint64_t bytes = 0;
  for (const auto& blob : sys::readable_entries_of(blobs)) {
    if (const auto status = sys::find_status(blob, sys::Links::kept))
      bytes += static_cast<std::uint64_t>(status->st_size);
  }
  if (bytes <= large) return;
  util::log::info("cache: " + util::quote((cache / "buildkit").string()) + " holds " +
                  util::human_size(bytes) +
                  " that only ENGINE=buildkit uses; remove it where that is not wanted");
}

}  // namespace

std::unique_ptr<store::Store> open_store(const document::Request& request,
                                         const std::optional<fs::path>& state_dir, Cache cache,
                                         const fs::path& work_dir) {
  const auto temporary = work_dir / "store";
  if (cache == Cache::passed_over) {
    // As without one, below.
  } else if (request.cache.directory) {
    try {
      return std::make_unique<store::Store>(*request.cache.directory / "native",
                                            store::Options{.owner = store::Owner::store, .spill = temporary});
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;
      // A cache may only cost time.
      util::log::warning("the cache is not used: " + std::string(error.what()));
    }
  } else if (state_dir) {
    return std::make_unique<store::Store>(*state_dir, store::Options{.spill = temporary});
  }
  return std::make_unique<store::Store>(temporary, store::Options{.life = store::Life::one_build});
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

bool make_room_for_another_try(store::Store& store, const util::Error& error) {
  if (!util::is_full_disk(error) || !store.is_lasting()) return false;
  const auto pruned = store.prune({.bytes = 0, .age = std::chrono::seconds(0)});
  const std::string what = error.what();
  if (!pruned) return false;
  if (pruned->freed == 0) {
    throw util::Error(what + "; of the cache " + util::quote(store.directory().string()) + ", " +
                          util::human_size(pruned->left) + ", this build uses all",
                      error.exit_code(), error.cause());
  }
  util::log::warning("building again, as the disk was full: freed " + util::human_size(pruned->freed) +
                     " that other builds left in the cache");
  return true;
}

}  // namespace native
