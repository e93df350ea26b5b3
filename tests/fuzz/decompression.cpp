// Compressed streams: every byte string decompresses or is refused, whatever the size of the reads.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/stream/decompressed.hpp"
#include "common/util/error.hpp"

namespace {

constexpr std::size_t most = 16 << 20;  // a bomb is no finding

void read_all(const std::string& bytes, std::size_t piece) {
  try {
    const auto source = stream::decompressed(stream::from_string(bytes), "stream");
    std::vector<std::byte> buffer(piece);
    std::size_t seen = 0;
    while (const std::size_t count = source->read(buffer)) {
      seen += count;
      if (seen > most) break;
    }
  } catch (const util::Error&) {  // a refusal is an answer
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  read_all(bytes, 1 << 16);
  if (size < 4096) read_all(bytes, 1000);
  return 0;
}
