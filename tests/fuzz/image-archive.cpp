// Whole archives: every byte string opens as an image, whose layers can be read, or is refused.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/image/archive.hpp"
#include "common/stream/verified_source.hpp"
#include "common/util/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sys::UniqueFd fd(::memfd_create("archive", MFD_CLOEXEC));
  sys::write_all(fd.get(), std::as_bytes(std::span(data, size)), "archive");
  ::lseek(fd.get(), 0, SEEK_SET);
  try {
    const auto archive = image::open(std::move(fd), "archive");
    for (const auto& platform : archive->platforms()) {
      const auto image = archive->image(platform);
      for (const auto& layer : image.layers) {
        stream::drain(*stream::verified(archive->open_blob(layer), layer.digest, layer.size, "layer"));
      }
    }
  } catch (const util::Error&) {  // a refusal is an answer
  }
  return 0;
}
