// Less of everything.
#include "common/cache/patience.hpp"

#include <algorithm>
#include <chrono>

namespace cache {

registry::Settings with_less_patience(registry::Settings settings) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  settings.retry.attempts = std::min(settings.retry.attempts, 3);
  settings.retry.longest_retry_after = std::min(settings.retry.longest_retry_after, seconds(5));
  auto& timeouts = settings.timeouts;
  timeouts.connect = std::min<milliseconds>(timeouts.connect, seconds(5));
  timeouts.head = std::min<milliseconds>(timeouts.head, seconds(20));
  timeouts.document = std::min<milliseconds>(timeouts.document, seconds(60));
  timeouts.stall = std::min<milliseconds>(timeouts.stall, seconds(20));
  timeouts.slowest = std::max(timeouts.slowest, 64L << 10);
  return settings;
}

}  // namespace cache
