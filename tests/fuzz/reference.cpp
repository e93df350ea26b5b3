// Feeds the reader of images' names; what it accepts must survive being written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/image/reference.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto reference = image::Reference::parse({reinterpret_cast<const char*>(data), size});
  if (!reference) return 0;
  if (image::Reference::parse(reference->full()) != reference) std::abort();
  return 0;
}
