// Least recently used first.
#include "common/store/prune.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/store/mount_record.hpp"
#include "common/store/tree_record.hpp"
#include "common/sys/disk_use.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/paths.hpp"
#include "common/util/error.hpp"

namespace store {
namespace {

struct Candidate {
  const Folder* folder;
  std::string name;
  std::timespec used;
  std::uint64_t bytes;
  const char* record = nullptr;                // of a tree or mount: the file without which it is not there
  bool is_wanted = true;                       // false for what a killed build left half made
  std::optional<MountRecord> old_record = {};  // of a mount that was used since it was counted
};

bool is_before(const std::timespec& a, const std::timespec& b) {
  return std::pair(a.tv_sec, a.tv_nsec) < std::pair(b.tv_sec, b.tv_nsec);
}

// What others put into a folder is as good as ours: it takes room, too.
void add_files(const Folder& folder, std::vector<Candidate>& found) {
  auto names = sys::names_in(folder.open_list(), folder.shown());
  const std::set<std::string> all(names.begin(), names.end());
  for (auto& name : names) {
    struct stat status = {};
    if (::fstatat(folder.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (is_use(name) && all.contains(of_use(name))) continue;
    auto used = status.st_mtim;
    if (struct stat use = {}; all.contains(use_of(name)) &&
                              ::fstatat(folder.fd(), use_of(name).c_str(), &use, AT_SYMLINK_NOFOLLOW) == 0)
      used = std::max(used, use.st_mtim, is_before);
    const bool is_unowned = is_leftover(name) || is_use(name);
    found.push_back({.folder = &folder,
                     .name = std::move(name),
                     .used = used,
                     .bytes = sys::bytes_on_disk(status),
                     .is_wanted = !is_unowned});
  }
}

// Trees or mounts, which are directories with a record in them: `add_record` says what that tells.
template <typename AddRecord>
void add_places(const Folder& folder, const char* record, const AddRecord& add_record,
                std::vector<Candidate>& found) {
  for (auto& name : sys::names_in(folder.open_list(), folder.shown())) {
    struct stat status = {};
    if (::fstatat(folder.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    Candidate candidate{.folder = &folder,
                        .name = std::move(name),
                        .used = status.st_mtim,
                        .bytes = 0,
                        .record = record,
                        .is_wanted = false};
    try {
      if (const auto place = find_folder(folder, candidate.name)) add_record(*place, status, candidate);
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;
    }
    found.push_back(std::move(candidate));
  }
}

void add_tree_record(const Folder& place, const struct stat&, Candidate& tree) {
  const auto record = read_tree_record(place);
  if (!record) return;
  tree.bytes = record->bytes;
  tree.is_wanted = true;
}

// A damaged record costs no more than to count again.
void add_mount_record(const Folder& place, const struct stat& status, Candidate& mount) {
  std::optional<MountRecord> record;
  try {
    record = read_mount_record(place);
    if (!record) return;
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    record.emplace();
  }
  mount.is_wanted = true;
  mount.bytes = record->bytes;
  if (record->used != time_of_use(status)) mount.old_record = std::move(record);
}

// To count a mount takes a call for each file in it, which a build that has just used it would wait for. What
// has grown shows in what is free on the disk, and little room was lost where far from all is taken. What
// others gave back meanwhile hides that, but not for longer than an hour.
bool is_good_enough(const MountRecord& record, const Folder& place, std::int64_t now, std::uint64_t bytes,
                    const Limits& limits) {
  constexpr std::int64_t most_seconds = 3600;
  if (record.used.empty() || record.counted > now || record.counted + most_seconds < now) return false;
  const auto free = free_on_disk(place);
  const auto grown = record.free > free ? record.free - free : 0;
  return bytes + grown <= limits.bytes;
}

// Counts the mounts that matter, and gives the bytes of everything.
std::uint64_t count(std::vector<Candidate>& all, std::int64_t now, const Folder& partial,
                    const Limits& limits, const sys::Cancellation& cancel) {
  std::uint64_t bytes = 0;
  for (const auto& candidate : all)
    bytes += candidate.bytes;
  for (bool has_changed = true; std::exchange(has_changed, false);) {
    for (auto& candidate : all) {
      if (!candidate.old_record) continue;
      const auto place = find_folder(*candidate.folder, candidate.name);
      if (!place || is_good_enough(*candidate.old_record, *place, now, bytes, limits)) continue;
      const auto counted = count_mount(*place, now, partial, cancel);
      bytes = bytes - candidate.bytes + counted;
      candidate.bytes = counted;
      candidate.old_record.reset();
      has_changed = true;
    }
  }
  return bytes;
}

// A record goes first: a kill must not leave half of what looks whole.
bool remove(const Candidate& candidate, const sys::Cancellation& cancel) {
  if (candidate.record != nullptr) {
    try {
      if (const auto place = find_folder(*candidate.folder, candidate.name))
        remove_entry(*place, candidate.record);
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;  // else no directory, and removed as what it is
    }
  }
  if (!remove_entry(*candidate.folder, candidate.name, cancel)) return false;
  remove_entry(*candidate.folder, use_of(candidate.name));
  return true;
}

}  // namespace

std::timespec touch(int file, const std::string& what) {
  struct stat status = {};
  if (::futimens(file, nullptr) != 0 || ::fstat(file, &status) != 0)
    util::throw_errno("cannot touch " + what);
  return status.st_mtim;
}

Pruned prune(const Places& places, const Limits& limits, const std::timespec& in_use_since, const Warn& warn,
             const sys::Cancellation& cancel) {
  std::vector<Candidate> all;
  for (const auto* folder : {&places.blobs, &places.names, &places.partial, &places.steps})
    add_files(*folder, all);
  add_places(places.trees, record_name, add_tree_record, all);
  if (places.mounts != nullptr) add_places(*places.mounts, mount_record_name, add_mount_record, all);
  std::sort(all.begin(), all.end(),
            [](const Candidate& a, const Candidate& b) { return is_before(a.used, b.used); });

  Pruned pruned{.left = count(all, in_use_since.tv_sec, places.partial, limits, cancel)};
  const auto oldest = in_use_since.tv_sec - limits.age.count();
  for (const auto& candidate : all) {
    const bool is_used = candidate.is_wanted && !is_before(candidate.used, in_use_since);
    const bool is_too_much =
        candidate.used.tv_sec < oldest || pruned.left > limits.bytes || !candidate.is_wanted;
    if (is_used || !is_too_much) continue;
    cancel.check();
    if (!remove(candidate, cancel)) {
      warn("cannot remove " + candidate.folder->shown(candidate.name) + " from the store");
      continue;
    }
    ++pruned.entries;
    pruned.freed += candidate.bytes;
    pruned.left -= candidate.bytes;
  }
  return pruned;
}

}  // namespace store
