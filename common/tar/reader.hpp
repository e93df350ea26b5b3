// Reads tar archives as they are found in images: ustar, PAX, GNU, old GNU sparse, v7, star.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/stream/source.hpp"
#include "common/tar/header.hpp"
#include "common/tar/pax.hpp"
#include "common/tar/sparse.hpp"

namespace tar {

enum class Type { regular, hard_link, symlink, character_device, block_device, directory, fifo };

// One archive member with everything the formats can say of it. Names are bytes, as they stand in the
// archive: not decoded, not cleaned, perhaps absolute, perhaps holding "..".
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
  std::uint64_t data_offset = 0;  // where the content begins, counted from the start of the archive
};

// Pulls one archive out of a source, entry by entry. Headers are checked; memory stays constant whatever the
// archive claims (PAX and GNU long-name data is limited to 1 MiB an entry, sparse maps to 64 Ki extents).
// Bytes that nobody asks for are skipped in the source, so that indexing a file costs little more than its
// headers.
class Reader {
public:
  // `source` must outlive the reader; `what` names the archive in errors.
  Reader(stream::Source& source, std::string what);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Goes to the next member, passing over what is left of the current one; false at the end of the archive
  // (two zero blocks, or the end of the source at a block boundary). Throws util::Error for a damaged or
  // cut-off archive.
  bool next(Entry& entry);

  // Content of the current regular file, 0 at its end. For a sparse file this is the data of its extents one
  // after another, without the holes. Throws util::Error when the archive ends first.
  std::size_t read(std::span<std::byte> buffer);

private:
  struct Extensions;

  bool read_block(Block& block);
  std::size_t fill();
  void pass_over(std::uint64_t count);
  std::string read_extra(const Header& header, std::size_t& total);
  bool read_extension(const Header& header, Extensions& extensions);
  void describe(Entry& entry, Header header, Extensions& extensions);
  void read_sparse_map(Entry& entry, char kind, const Block& block, PaxFields& pax);
  template <typename Action>
  decltype(auto) check(Action&& action) const;
  [[noreturn]] void fail_cut_off() const;

  stream::Source& source_;
  std::string what_;
  std::vector<std::byte> buffer_;  // bytes of the source that nobody has used yet: from begin_ to end_
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t position_ = 0;      // in the archive, of the byte at begin_
  std::uint64_t header_place_ = 0;  // of the header at hand, for errors
  std::uint64_t content_left_ = 0;  // of the current member
  std::uint64_t padding_left_ = 0;  // between that content and the next header
  bool ended_ = false;
};

}  // namespace tar
