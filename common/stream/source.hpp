// Where bytes come from. Sources nest: a gzip source reads a file source, a verified source reads any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "common/sys/fd.hpp"

namespace stream {

class Source {
public:
  virtual ~Source() = default;

  // Fills the front of `buffer` (which is not empty) and returns how many bytes; 0 means the end, for good.
  // May return fewer than asked for. Throws util::Error.
  virtual std::size_t read(std::span<std::byte> buffer) = 0;

  // Passes over up to `count` bytes and returns how many there were. The default reads them away.
  virtual std::uint64_t skip(std::uint64_t count);
};

// Fills `buffer` unless the end comes first; returns how many bytes it got.
std::size_t read_full(Source& source, std::span<std::byte> buffer);

// Everything that is left, at most `limit` bytes; throws Error naming `what` when there is more.
std::string read_all(Source& source, const std::string& what, std::uint64_t limit);

// Bytes that stand in memory; the string is owned.
std::unique_ptr<Source> from_string(std::string content);

// The descriptor from its current position on. `what` names it in errors, quoted already where that helps.
std::unique_ptr<Source> from_fd(sys::UniqueFd fd, std::string what);

// Everything on stdin, at most `limit` bytes. A signal that cancels ends the wait for it.
std::string read_stdin(std::uint64_t limit = 64 << 20);

// `size` bytes of a file that can seek, from `offset` on, by pread: several such sources may share one
// descriptor. A file that ends before that is an Error.
std::unique_ptr<Source> from_range(std::shared_ptr<const sys::UniqueFd> fd, std::uint64_t offset,
                                   std::uint64_t size, std::string what);

}  // namespace stream
