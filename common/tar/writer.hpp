// Writes tar archives byte for byte as the layers of other builders are written, so that equal content has an
// equal diff_id. The model is Go's archive/tar with the PAX format, as containerd drives it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "common/stream/sink.hpp"
#include "common/tar/reader.hpp"

namespace tar {

class Writer {
public:
  // `sink` must outlive the writer. It is written in blocks of 512 bytes and never finished here.
  explicit Writer(stream::Sink& sink) : sink_(sink) {}

  // Writes the header of a member: a plain ustar one where its fields suffice, a long ASCII name split over
  // the prefix field among them; else one with a PAX header before it, which leaves the prefix field alone.
  // The previous member's content must be complete. Directory names must end in "/". Parts of seconds and
  // xattrs (SCHILY.xattr) become PAX records. A sparse file is written in GNU tar's PAX format 1.0, its map
  // included. Throws util::Error if a name holds a NUL byte.
  void add(const Entry& entry);

  // Content of the member, entry.size bytes in all; of a sparse file that of its extents, one after another.
  void write(std::span<const std::byte> data);

  // Counts `size` bytes of content that the caller put behind what the sink was given, past the sink.
  void count_content(std::uint64_t size);

  // The end mark, two zero blocks. The previous member's content must be complete. At most once.
  void finish();

private:
  void add(const Entry& entry, std::map<std::string, std::string> records);
  void pad();

  stream::Sink& sink_;
  std::uint64_t content_left_ = 0;
  std::uint64_t padding_ = 0;
};

}  // namespace tar
