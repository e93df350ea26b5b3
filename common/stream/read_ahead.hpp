// Reading in a thread of its own, so that decompression runs beside what is done with the bytes.
#pragma once

#include <memory>

#include "common/stream/source.hpp"

namespace stream {

// `inner` read in a thread into at most 4 buffers of 256 KiB that wait for the reader. What `inner` throws is
// thrown by the read() that would have given the bytes behind the last good ones, and by every later one. The
// destructor may come at any time; it waits only for the read of `inner` that is under way.
std::unique_ptr<Source> read_ahead(std::unique_ptr<Source> inner);

}  // namespace stream
