// What a build has made, for other workers.
#pragma once

#include <functional>
#include <optional>

#include "common/cache/entry.hpp"
#include "common/cache/records.hpp"
#include "common/registry/push.hpp"
#include "common/store/blobs.hpp"
#include "common/sys/cancellation.hpp"

namespace cache {

// The layers that were sent, of all that the cache names.
struct Exported {
  std::size_t layers = 0;
  std::size_t sent = 0;
  std::uint64_t sent_bytes = 0;
};

// A blob of the store, open for reading; empty if nobody has it.
using Open = std::function<sys::UniqueFd(const store::Blob& blob)>;

// Makes what `entry` names hold `records`, as a whole: the manifest comes last. What is there is not sent; a
// step whose layer is neither there nor given by `open` is left out. `other` is a cache or image that may
// share layers. Throws util::Error.
Exported write(const Entry& entry, Records records, const registry::Settings& settings, const Open& open,
               const std::optional<image::Reference>& other = {}, const sys::Cancellation& cancel = {});

}  // namespace cache
