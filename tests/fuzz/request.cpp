// Feeds the reader of requests; what it accepts must survive being written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "common/document/request.hpp"
#include "common/util/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  document::Request request;
  try {
    request = document::parse_request({reinterpret_cast<const char*>(data), size});
  } catch (const util::Error&) {
    return 0;
  }
  const auto json = to_json(request);
  if (to_json(document::parse_request(json)) != json) std::abort();
  return 0;
}
