// Records of other workers: every byte string is parsed or refused, and what is written is read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/cache/entry.hpp"
#include "common/cache/records.hpp"
#include "common/util/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto records = cache::parse_records(text);
    const auto json = cache::to_json(records);
    if (cache::parse_records(json) != records) std::abort();
    cache::manifest_of(records, json);
  } catch (const util::Error&) {  // a refusal is an answer
  }
  try {
    cache::parse_config_records(text);
  } catch (const util::Error&) {}
  for (const auto direction : {cache::Direction::from, cache::Direction::to}) {
    try {
      const auto entry = document::CacheEntry::parse(text, direction);
      if (document::CacheEntry::parse(entry.attributes.str(), direction) != entry) std::abort();
      if (!cache::left_out_of(entry)) cache::entry_of(entry, direction);
    } catch (const util::Error&) {}
  }
  return 0;
}
