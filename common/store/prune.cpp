// Least recently used first.
#include "common/store/prune.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
  bool is_tree = false;
  bool is_wanted = true;  // false for what a killed build left half made
};

bool is_before(const std::timespec& a, const std::timespec& b) {
  return std::pair(a.tv_sec, a.tv_nsec) < std::pair(b.tv_sec, b.tv_nsec);
}

// What others put into a folder is as good as ours: it takes room, too.
void add_files(const Folder& folder, std::vector<Candidate>& found) {
  for (auto& name : sys::names_in(folder.open_list(), folder.shown())) {
    struct stat status = {};
    if (::fstatat(folder.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const bool is_leftover = name.starts_with("new-") || name.starts_with("tree-");
    found.push_back({.folder = &folder,
                     .name = std::move(name),
                     .used = status.st_mtim,
                     .bytes = bytes_on_disk(status),
                     .is_wanted = !is_leftover});
  }
}

void add_trees(const Folder& folder, std::vector<Candidate>& found) {
  for (auto& name : sys::names_in(folder.open_list(), folder.shown())) {
    struct stat status = {};
    if (::fstatat(folder.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    std::optional<TreeRecord> record;
    try {
      if (const auto place = find_folder(folder, name)) record = read_tree_record(*place);
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;
    }
    found.push_back({.folder = &folder,
                     .name = std::move(name),
                     .used = status.st_mtim,
                     .bytes = record ? record->bytes : 0,
                     .is_tree = true,
                     .is_wanted = record.has_value()});
  }
}

// Of a tree the record goes first: a kill must not leave half of one that looks whole.
bool remove(const Candidate& candidate) {
  if (candidate.is_tree) {
    try {
      if (const auto place = find_folder(*candidate.folder, candidate.name))
        remove_entry(*place, record_name);
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;  // else no directory, and removed as what it is
    }
  }
  return remove_entry(*candidate.folder, candidate.name);
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
  add_trees(places.trees, all);
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
    if (!remove(candidate)) {
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
