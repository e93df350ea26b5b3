// The store of a build: where it lies, and how large it may stay.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "common/document/request.hpp"
#include "common/store/store.hpp"
#include "common/util/error.hpp"

namespace native {

enum class Cache { used, passed_over };

// In the task's cache/, else in `state_dir`, else, or where the cache is passed over or takes nothing, in
// `work_dir` for this build alone. Throws util::Error where `state_dir` cannot be used.
std::unique_ptr<store::Store> open_store(const document::Request& request,
                                         const std::optional<std::filesystem::path>& state_dir, Cache cache,
                                         const std::filesystem::path& work_dir);

// The one that a build would open, only looked at; where there is none, an empty one in `work_dir`.
std::unique_ptr<store::Store> open_store_to_look(const document::Request& request,
                                                 const std::optional<std::filesystem::path>& state_dir,
                                                 const std::filesystem::path& work_dir);

// After a build: removes what is too old or too much by the request's CACHE_MAX_SIZE and CACHE_MAX_AGE, and
// says what was freed. Whatever goes wrong costs a warning at most; only a signal throws. Nothing may use the
// store any more.
void make_room(store::Store& store, const document::Request& request);

// For a build that failed because a disk was full, and uses the store no more. True if what other builds left
// in the store made room: then another try may come to its end, which a warning says.
bool make_room_for_another_try(store::Store& store);

// The same error with what takes how much on the disk: the store, the other engine's cache, outputs, and this
// build in `work_dir`. Throws as sys::Cancellation::check does.
util::Error with_disk_use(const util::Error& error, const document::Request& request, store::Store& store,
                          const std::filesystem::path& work_dir);

}  // namespace native
