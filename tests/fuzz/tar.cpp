// The tar reader on any bytes: it must end, with all members or with an Error.
#include <cstddef>
#include <cstdint>

#include "common/tar/reader.hpp"
#include "common/util/error.hpp"
#include "tests/fuzz/tar_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto source = stream::from_string(fuzz::sealed_archive(data, size));
  tar::Reader reader(*source, "the archive");
  std::byte buffer[700];
  tar::Entry entry;
  try {
    while (reader.next(entry)) {
      std::uint64_t length = 0;
      while (const auto count = reader.read(buffer))
        length += count;
      if (!entry.sparse && length != entry.size) __builtin_trap();
      std::uint64_t end = 0;
      for (const auto& extent : entry.sparse.value_or(std::vector<tar::Extent>())) {
        if (extent.offset < end || extent.size > entry.size - extent.offset) __builtin_trap();
        end = extent.offset + extent.size;
      }
    }
  } catch (const util::Error&) {}
  return 0;
}
