// Any bytes as a path and an ignore file: the first line is the path.
#include "common/context/ignore.hpp"

#include <cstdint>
#include <string>

#include "common/util/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto path = text.substr(0, text.find('\n'));
  const auto patterns = text.substr(std::min(path.size() + 1, text.size()));
  try {
    const auto ignore = context::Ignore::parse(patterns);
    ignore.ignores(path);
    ignore.ignores_source(path);
    ignore.ignores_all_below(path);
    context::matches_glob(patterns, path);
  } catch (const util::Error&) {
    // Refusing is fine; anything else is not.
  }
  return 0;
}
