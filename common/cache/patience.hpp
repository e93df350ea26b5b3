// How long a cache may take: it is to save time.
#pragma once

#include "common/registry/settings.hpp"

namespace cache {

// What is asked for once is there after a minute or not at all, and what is longer moves at 64 KiB a second
// or ends: whatever a server does, it costs a time that its answer's length bounds. Never more than
// `settings`.
registry::Settings with_less_patience(registry::Settings settings);

}  // namespace cache
