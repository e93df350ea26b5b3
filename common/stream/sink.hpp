// Where bytes go. Sinks nest: a gzip sink writes to a hashing sink, which writes to a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/hash/digest.hpp"
#include "common/hash/sha256.hpp"

namespace stream {

class Sink {
public:
  virtual ~Sink() = default;

  // Takes all of `data`. Throws util::Error.
  virtual void write(std::span<const std::byte> data) = 0;

  // Writes what is held back and ends the stream; the sink below is finished too. At most once, and nothing
  // is written after it. A sink that is destroyed unfinished leaves an incomplete stream.
  virtual void finish() = 0;
};

// Writes to a descriptor that outlives it, in blocks of 256 KiB. `what` names it in errors.
std::unique_ptr<Sink> to_fd(int fd, std::string what);

// Passes everything to `inner` and keeps the digest and size of it, for after finish().
class HashingSink : public Sink {
public:
  explicit HashingSink(std::unique_ptr<Sink> inner) : inner_(std::move(inner)) {}

  void write(std::span<const std::byte> data) override;
  void finish() override;

  const hash::Digest& digest() const { return digest_.value(); }
  std::uint64_t size() const noexcept { return size_; }

private:
  std::unique_ptr<Sink> inner_;
  hash::Sha256 sha_;
  std::optional<hash::Digest> digest_;
  std::uint64_t size_ = 0;
};

// Passes everything to `inner` in a thread of its own, through at most 4 buffers of 256 KiB. What `inner`
// throws is thrown by a later write() or by finish().
std::unique_ptr<Sink> write_behind(std::unique_ptr<Sink> inner);

enum class Compressor { none, gzip, zstd };

// Compresses into `inner`. Levels are those of the format (gzip 0-9, zstd 1-22); nothing = the fastest that
// is still worth its bytes. gzip is one member with the header that Go writes: no name, no time, unknown
// system.
std::unique_ptr<Sink> compress(std::unique_ptr<Sink> inner, Compressor compressor, std::optional<int> level);

}  // namespace stream
