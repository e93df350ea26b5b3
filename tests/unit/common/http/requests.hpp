// Requests that are tried again at once.
#pragma once

#include <chrono>

#include "common/http/client.hpp"
#include "tests/support/scripted_server.hpp"

namespace http {

inline constexpr Retry quick = {.attempts = 4,
                                .first_delay = std::chrono::milliseconds(1),
                                .longest_delay = std::chrono::milliseconds(2),
                                .longest_retry_after = std::chrono::seconds(60)};

inline Request get(const test::ScriptedServer& server, Content content = Content::fixed) {
  return {.url = Url::parse(server.url("/file")), .content = content, .retry = quick};
}

}  // namespace http
