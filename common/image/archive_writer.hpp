// Writes OCI archives: tars of what is in a layout directory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/stream/sink.hpp"
#include "common/tar/writer.hpp"

namespace image {

// In the order in which they are added. What is added throws as tar::Writer does.
class ArchiveWriter {
public:
  // `sink` must outlive the writer and is never finished here.
  explicit ArchiveWriter(stream::Sink& sink) : tar_(sink) {}

  // Before the first blob.
  void add_blob_directories();
  void add(const std::string& name, std::string_view content, std::uint32_t mode = 0644);
  // A file whose `size` bytes are then to be given to the tar.
  tar::Writer& begin(const std::string& name, std::uint64_t size, std::uint32_t mode = 0644);

  // At most once.
  void finish() { tar_.finish(); }

private:
  tar::Writer tar_;
};

}  // namespace image
