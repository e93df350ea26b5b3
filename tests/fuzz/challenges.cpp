// Feeds the readers of header fields that servers send.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/http/headers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& challenge : http::parse_challenges(text)) {
    if (challenge.scheme.empty()) std::abort();
  }
  const auto wait = http::parse_retry_after(text, std::chrono::system_clock::time_point());
  if (wait && *wait < std::chrono::seconds(0)) std::abort();
  http::parse_content_range_start(text);
  return 0;
}
