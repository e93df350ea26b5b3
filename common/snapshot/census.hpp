// What a directory tree was like at one moment, for finding later what was changed in it.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace snapshot {

// Of each entry the inode and the time of its last change (ctime), which no process can set: 24 bytes an
// entry.
class Census {
public:
  enum class Answer {
    unchanged,
    changed,   // the same file or directory, whose data, metadata or names are not as they were
    replaced,  // another one, or one where there was none
  };

  // `path` is relative to the root. Each once; all of them before the first question.
  void add(std::string_view path, const struct stat& status);
  void close();

  Answer ask(std::string_view path, const struct stat& status) const;
  // Whether anything was there.
  bool has(std::string_view path) const;

  std::size_t size() const noexcept { return entries_.size(); }

  // What the entries take on disk, a file of several names as often.
  std::uint64_t bytes() const noexcept { return bytes_; }

  // True if a file has more names than one.
  bool has_links() const noexcept { return has_links_; }

  // Of all entries the latest change. What is changed at the same tick of the clock is taken for unchanged,
  // so that nobody may change anything before the clock has gone on.
  timespec newest() const noexcept { return newest_; }

private:
  struct Entry {
    std::uint64_t path;  // a hash of it
    std::uint64_t inode;
    std::int64_t changed;  // nanoseconds
  };

  std::vector<Entry> entries_;  // by path once closed
  timespec newest_ = {};
  std::uint64_t bytes_ = 0;
  bool has_links_ = false;
};

}  // namespace snapshot
