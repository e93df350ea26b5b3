// Feeds the readers of files of names and values, lines and YAML.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/util/error.hpp"
#include "tools/oci-params/key_value_file.hpp"
#include "tools/oci-params/yaml_map.hpp"

namespace {

template <typename Parse>
void feed(std::string_view text, Parse&& parse) {
  try {
    for (const auto& entry : parse(text)) {
      if (entry.name.empty() || entry.line == 0) std::abort();
    }
  } catch (const util::Error&) {
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  feed(text, params::parse_key_values);
  feed(text, params::parse_yaml_map);
  return 0;
}
