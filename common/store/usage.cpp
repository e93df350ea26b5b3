// By the blocks of all files.
#include "common/store/usage.hpp"

#include "common/sys/disk_use.hpp"
#include "common/util/error.hpp"

namespace store {
namespace {

std::uint64_t use_of(const Folder& folder, const sys::Cancellation& cancel) {
  try {
    return sys::disk_use(folder.open_list(), cancel);
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    return 0;
  }
}

}  // namespace

Usage usage_of(const Places& places, const sys::Cancellation& cancel) {
  return {.blobs = use_of(places.blobs, cancel),
          .trees = use_of(places.trees, cancel),
          .mounts = places.mounts != nullptr ? use_of(*places.mounts, cancel) : 0,
          .records = use_of(places.names, cancel) + use_of(places.steps, cancel),
          .partial = use_of(places.partial, cancel)};
}

}  // namespace store
