// The digest of files that an op selects from another one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/hash/digest.hpp"
#include "common/hash/sha256.hpp"

namespace plan {

// What counts of a file; its times do not.
struct ContentEntry {
  std::string path;  // below what was selected, "" for that itself: never where that lies
  mode_t mode = 0;   // type and permissions
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t device = 0;              // of a device node
  std::string link;                      // where a symlink points
  std::optional<std::string> hard_link;  // the path of an earlier entry that is the same file
  std::optional<hash::Digest> content;   // of a regular file that is no such link
  std::map<std::string, std::string> xattrs =
      {};  // "system." and, but for capabilities, "security." are passed over
};

class ContentHash {
public:
  ContentHash();

  // In an order that the files alone decide.
  void add(const ContentEntry& entry);
  // At most once.
  hash::Digest finish();

private:
  hash::Sha256 sha_;
};

}  // namespace plan
