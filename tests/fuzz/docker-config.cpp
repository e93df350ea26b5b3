// Feeds the reader of config.json; an error must name the document.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/registry/credentials.hpp"
#include "common/util/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto config =
        registry::parse_docker_config({reinterpret_cast<const char*>(data), size}, "config.json");
    for (const auto& [host, credential] : config.auths) {
      if (credential == registry::Credential{}) std::abort();
    }
  } catch (const util::Error& error) {
    if (!std::string_view(error.what()).starts_with("config.json")) std::abort();
  }
  return 0;
}
