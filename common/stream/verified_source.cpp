// Verification of digests and sizes while reading.
#include "common/stream/verified_source.hpp"

#include "common/hash/sha256.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"

namespace stream {
namespace {

class VerifiedSource : public Source {
public:
  VerifiedSource(std::unique_ptr<Source> inner, hash::Digest digest, std::optional<std::uint64_t> size,
                 std::string what)
      : inner_(std::move(inner)), digest_(std::move(digest)), size_(size), what_(std::move(what)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (ended_) return 0;
    const std::size_t count = inner_->read(buffer);
    seen_ += count;
    if (size_ && seen_ > *size_) fail_size();
    if (count == 0) {
      finish();
    } else {
      sha_.update(buffer.first(count));
    }
    return count;
  }

private:
  void finish() {
    ended_ = true;
    if (size_ && seen_ != *size_) fail_size();
    const auto actual = sha_.finish();
    if (actual != digest_)
      throw util::Error(what_ + " is damaged: its digest is " + actual.str() + ", not " + digest_.str(),
                        util::Cause::Kind::damaged);
  }

  [[noreturn]] void fail_size() const {
    throw util::Error(what_ + " is damaged: its size is not " + std::to_string(*size_) + " bytes",
                      util::Cause::Kind::damaged);
  }

  std::unique_ptr<Source> inner_;
  hash::Digest digest_;
  std::optional<std::uint64_t> size_;
  std::string what_;
  hash::Sha256 sha_;
  std::uint64_t seen_ = 0;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Source> verified(std::unique_ptr<Source> inner, hash::Digest digest,
                                 std::optional<std::uint64_t> size, std::string what) {
  return std::make_unique<VerifiedSource>(std::move(inner), std::move(digest), size, std::move(what));
}

hash::Digest digest_of(Source& source) {
  hash::Sha256 sha;
  util::Buffer buffer(256 << 10);
  while (const std::size_t count = source.read(buffer))
    sha.update(std::span(buffer).first(count));
  return sha.finish();
}

void drain(Source& source) {
  util::Buffer away(65536);
  while (source.read(away) > 0) {}
}

}  // namespace stream
