// What the decompressors share: an input buffer that refills itself, and output that suits any reader.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/stream/source.hpp"
#include "common/util/error.hpp"

namespace stream {

// A source whose decoder works best on large output buffers. Large reads are decoded in place, small ones are
// served from a buffer of its own.
class InflatingSource : public Source {
public:
  InflatingSource(std::unique_ptr<Source> inner, std::string what);

  std::size_t read(std::span<std::byte> buffer) final;

protected:
  // Decodes into the front of `output` and returns how many bytes; 0 only at the end of the whole stream.
  virtual std::size_t inflate(std::span<std::byte> output) = 0;

  // The input not yet consumed, read from the inner source when there is none; empty only at its end.
  std::span<const std::byte> input();
  void consume(std::size_t count);

  [[noreturn]] void fail(const std::string& reason,
                         util::Cause::Kind kind = util::Cause::Kind::damaged) const;

private:
  std::unique_ptr<Source> inner_;
  std::string what_;
  std::vector<std::byte> input_;
  std::span<const std::byte> unread_;
  std::vector<std::byte> output_;
  std::span<const std::byte> ready_;
  bool inner_ended_ = false;
  bool ended_ = false;
};

}  // namespace stream
