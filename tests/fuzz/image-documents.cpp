// Image documents: every byte string is parsed or refused, and what is written is read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/image/manifest.hpp"
#include "common/util/error.hpp"

namespace {

template <typename Action>
void tolerate(Action&& action) {
  try {
    action();
  } catch (const util::Error&) {  // a refusal is an answer
  }
}

// Reading what we wrote must give the same bytes again.
template <typename Parse>
void round_trip(std::string_view json, Parse&& parse) {
  tolerate([&] {
    const auto written = image::to_json(parse(json, "document"));
    if (image::to_json(parse(written, "document")) != written) std::abort();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  round_trip(json, image::parse_manifest);
  round_trip(json, image::parse_index);
  tolerate([&] { image::parse_config(json, "document"); });
  tolerate([&] { image::parse_saved_images(json, "document"); });
  return 0;
}
