// Sorted hashes of paths.
#include "common/snapshot/census.hpp"

#include <algorithm>
#include <functional>

#include "common/sys/disk_use.hpp"

namespace snapshot {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

void Census::add(std::string_view path, const struct stat& status) {
  const auto& changed = status.st_ctim;
  entries_.push_back({std::hash<std::string_view>()(path), status.st_ino, nanoseconds(changed)});
  bytes_ += sys::bytes_on_disk(status);
  if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) has_links_ = true;
  if (nanoseconds(changed) > nanoseconds(newest_)) newest_ = changed;
}

void Census::close() {
  entries_.shrink_to_fit();
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.path < b.path; });
}

Census::Answer Census::ask(std::string_view path, const struct stat& status) const {
  const auto hash = std::hash<std::string_view>()(path);
  auto entry = std::lower_bound(entries_.begin(), entries_.end(), hash,
                                [](const Entry& a, std::uint64_t b) { return a.path < b; });
  for (; entry != entries_.end() && entry->path == hash; ++entry) {
    if (entry->inode != status.st_ino) continue;
    return entry->changed == nanoseconds(status.st_ctim) ? Answer::unchanged : Answer::changed;
  }
  return Answer::replaced;
}

bool Census::has(std::string_view path) const {
  const auto hash = std::hash<std::string_view>()(path);
  return std::binary_search(entries_.begin(), entries_.end(), Entry{hash, 0, 0},
                            [](const Entry& a, const Entry& b) { return a.path < b.path; });
}

}  // namespace snapshot
