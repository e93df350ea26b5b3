// Members of archives.
#include "common/image/archive_writer.hpp"

#include <span>

namespace image {

void ArchiveWriter::add_blob_directories() {
  for (const auto* name : {"blobs/", "blobs/sha256/"}) {
    tar::Entry entry;
    entry.path = name;
    entry.type = tar::Type::directory;
    entry.mode = 0755;
    tar_.add(entry);
  }
}

void ArchiveWriter::add(const std::string& name, std::string_view content, std::uint32_t mode) {
  begin(name, content.size(), mode).write(std::as_bytes(std::span(content)));
}

tar::Writer& ArchiveWriter::begin(const std::string& name, std::uint64_t size, std::uint32_t mode) {
  tar::Entry entry;
  entry.path = name;
  entry.mode = mode;
  entry.size = size;
  tar_.add(entry);
  return tar_;
}

}  // namespace image
