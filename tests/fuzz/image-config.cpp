// Image configs of bases: every byte string is parsed or refused, and what is written is read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/plan/image_config.hpp"
#include "common/util/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  std::string written;
  try {
    written = plan::to_json(plan::ImageConfig::parse(json, "base"), plan::parse_history(json, "base"), {});
  } catch (const util::Error&) {  // a refusal is an answer
    return 0;
  }
  const auto again =
      plan::to_json(plan::ImageConfig::parse(written, "image"), plan::parse_history(written, "image"), {});
  if (again != written) std::abort();
  return 0;
}
