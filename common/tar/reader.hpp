// Reads tar archives as they are found in images: ustar, PAX, GNU, old GNU sparse, v7, star.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/stream/source.hpp"

namespace tar {

enum class Type { regular, hard_link, symlink, character_device, block_device, directory, fifo };

struct Timestamp {
  std::int64_t seconds = 0;  // since 1970, negative before
  std::uint32_t nanoseconds = 0;
};

// A stretch of a sparse file that holds data; what lies between is a hole.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// One archive member with everything the formats can say of it. Names are bytes, as they stand in the archive: not
// decoded, not cleaned, perhaps absolute, perhaps holding "..".
struct Entry {
  std::string path;
  Type type = Type::regular;
  std::uint32_t mode = 0;  // permission bits with setuid, setgid and sticky; 07777 at most
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  Timestamp mtime;
  std::string link_target;  // of hard links and symlinks
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::map<std::string, std::string> xattrs;  // SCHILY.xattr.*, values are bytes
  std::uint64_t size = 0;                     // of the file once unpacked; 0 for all but regular files
  std::optional<std::vector<Extent>> sparse;  // in order, without overlap, within `size`
  std::uint64_t data_offset = 0;              // where the content begins, counted from the start of the archive
};

// Pulls one archive out of a source, entry by entry. Headers are checked; memory stays constant whatever the archive
// claims (PAX and GNU long-name data is limited to 1 MiB an entry, sparse maps to 64 Ki extents).
class Reader {
public:
  // `source` must outlive the reader; `what` names the archive in errors.
  Reader(stream::Source& source, std::string what);

  // Goes to the next member, passing over what is left of the current one; false at the end of the archive (two zero
  // blocks, or the end of the source at a block boundary). Throws util::Error for a damaged or cut-off archive.
  bool next(Entry& entry);

  // Content of the current regular file, 0 at its end. For a sparse file this is the data of its extents one after
  // another, without the holes. Throws util::Error when the archive ends first.
  std::size_t read(std::span<std::byte> buffer);

private:
  struct Header;
  // (private members are the implementer's)
};

}  // namespace tar
