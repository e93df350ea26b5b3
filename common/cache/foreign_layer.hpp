// A layer that somebody else made, as far as its bytes alone tell.
#pragma once

#include <cstdint>
#include <memory>

#include "common/store/steps.hpp"
#include "common/stream/source.hpp"
#include "common/sys/cancellation.hpp"

namespace cache {

// What a layer may unpack to, compared with its blob. Text is seldom compressed to less than a twentieth, and
// what is more than this is made again in the time that it takes to read so much.
struct Expansion {
  std::uint64_t always = std::uint64_t{1} << 30;
  std::uint64_t factor = 100;
};

// Reads the whole blob of `step` and gives the step as its bytes say it is. Throws util::Error unless they
// are a tar archive of the step's diff_id, compressed as its media type says, that is in proportion to its
// blob: a few bytes can stand for so many that nobody would wait for their end.
store::Step checked_layer(store::Step step, std::unique_ptr<stream::Source> blob,
                          const sys::Cancellation& cancel, const Expansion& expansion = {});

}  // namespace cache
