// Least recently used first.
#include "common/store/prune.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/store/mount_record.hpp"
#include "common/store/tree_record.hpp"
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
  const char* record = nullptr;  // of a tree or mount: the file without which it is not there
  bool is_wanted = true;         // false for what a killed build left half made
};

bool is_before(const std::timespec& a, const std::timespec& b) {
  return std::pair(a.tv_sec, a.tv_nsec) < std::pair(b.tv_sec, b.tv_nsec);
}

// What others put into a folder is as good as ours: it takes room, too.
void add_files(const Folder& folder, std::vector<Candidate>& found) {
  for (auto& name : sys::names_in(folder.open_list(), folder.shown())) {
    struct stat status = {};
    if (::fstatat(folder.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const bool is_unowned = is_leftover(name);
    found.push_back({.folder = &folder,
                     .name = std::move(name),
                     .used = status.st_mtim,
                     .bytes = bytes_on_disk(status),
                     .is_wanted = !is_unowned});
  }
}

// Nothing of one without a record.
std::optional<std::uint64_t> bytes_of_tree(const Folder& place) {
  const auto record = read_tree_record(place);
  return record ? std::optional(record->bytes) : std::nullopt;
}

// Trees or mounts, which are directories with a record in them.
template <typename BytesOf>
void add_places(const Folder& folder, const char* record, const BytesOf& bytes_of,
                std::vector<Candidate>& found) {
  for (auto& name : sys::names_in(folder.open_list(), folder.shown())) {
    struct stat status = {};
    if (::fstatat(folder.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    std::optional<std::uint64_t> bytes;
    try {
      if (const auto place = find_folder(folder, name)) bytes = bytes_of(*place);
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;
    }
    found.push_back({.folder = &folder,
                     .name = std::move(name),
                     .used = status.st_mtim,
                     .bytes = bytes.value_or(0),
                     .record = record,
                     .is_wanted = bytes.has_value()});
  }
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
  return remove_entry(*candidate.folder, candidate.name, cancel);
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
  for (const auto* folder : {&places.blobs, &places.names, &places.partial})
    add_files(*folder, all);
  add_places(places.trees, record_name, bytes_of_tree, all);
  const auto bytes_of = [&](const Folder& place) { return bytes_of_mount(place, places.partial, cancel); };
  if (places.mounts != nullptr) add_places(*places.mounts, mount_record_name, bytes_of, all);
  std::sort(all.begin(), all.end(),
            [](const Candidate& a, const Candidate& b) { return is_before(a.used, b.used); });

  Pruned pruned;
  for (const auto& candidate : all)
    pruned.left += candidate.bytes;
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
