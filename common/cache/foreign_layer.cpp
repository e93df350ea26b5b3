// One walk over the archive, which is hashed on the way.
#include "common/cache/foreign_layer.hpp"

#include <utility>

#include "common/layer/member_path.hpp"
#include "common/layer/whiteout.hpp"
#include "common/stream/decompressed.hpp"
#include "common/stream/verified_source.hpp"
#include "common/tar/reader.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace cache {
namespace {

stream::Compression compression_of(const std::string& media_type) {
  if (media_type.ends_with("gzip")) return stream::Compression::gzip;
  if (media_type.ends_with("zstd")) return stream::Compression::zstd;
  return stream::Compression::none;
}

// Ends with an error after so many bytes.
class Bounded : public stream::Source {
public:
  Bounded(std::unique_ptr<stream::Source> inner, std::uint64_t most, sys::Cancellation cancel)
      : inner_(std::move(inner)), most_(most), cancel_(std::move(cancel)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    cancel_.check();
    const auto count = inner_->read(buffer);
    if (count > most_ - read_) throw util::Error("it unpacks to more than " + util::human_size(most_));
    read_ += count;
    return count;
  }

private:
  std::unique_ptr<stream::Source> inner_;
  std::uint64_t most_;
  std::uint64_t read_ = 0;
  sys::Cancellation cancel_;
};

}  // namespace

store::Step checked_layer(store::Step step, std::unique_ptr<stream::Source> blob,
                          const sys::Cancellation& cancel, const Expansion& expansion) {
  step.removes = false;
  auto plain = stream::decompressed(std::move(blob), compression_of(step.media_type), "it");
  auto bounded = std::make_unique<Bounded>(std::move(plain),
                                           expansion.always + expansion.factor * step.blob.size, cancel);
  const auto archive = stream::verified(std::move(bounded), step.diff_id, std::nullopt, "it, unpacked,");
  tar::Reader reader(*archive, "its archive");
  for (tar::Entry entry; reader.next(entry);) {
    if (layer::parse_whiteout(layer::member_path(entry.path)).kind != layer::Whiteout::Kind::none)
      step.removes = true;
  }
  stream::drain(*archive);
  return step;
}

}  // namespace cache
