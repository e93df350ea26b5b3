// The chain of sources from a blob to the files of a layer.
#include "common/layer/unpack.hpp"

#include "common/stream/decompressed.hpp"
#include "common/stream/read_ahead.hpp"
#include "common/stream/verified_source.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace layer {

std::unique_ptr<stream::Source> open_layer(std::unique_ptr<stream::Source> stored,
                                           const image::Descriptor& blob, const hash::Digest& diff_id) {
  auto compressed = stream::verified(std::move(stored), blob.digest, blob.size, "the layer as it is stored");
  auto content = stream::decompressed(std::move(compressed), "the layer");
  return stream::read_ahead(
      stream::verified(std::move(content), diff_id, std::nullopt, "the layer unpacked"));
}

Report unpack(const image::Image& image, const OpenBlob& open_blob, const std::string& what,
              sys::RootedDir& root, const ApplyOptions& options) {
  const auto total = image.layers.size();
  if (total != image.config.diff_ids.size()) {
    throw util::Error(what + " is damaged: it has " + std::to_string(total) + " layers, its config lists " +
                      std::to_string(image.config.diff_ids.size()));
  }
  Applier applier(root, options);
  for (std::size_t i = 0; i < total; ++i) {
    const auto& blob = image.layers[i];
    const auto place = "layer " + std::to_string(i + 1) + " of " + std::to_string(total);
    util::log::debug(place + ": " + blob.digest.str() + ", " + util::human_size(blob.size));
    util::with_context(what + ": " + place, [&] {
      applier.apply(*open_layer(open_blob(blob), blob, image.config.diff_ids[i]), "the tar archive");
    });
  }
  applier.finish();
  return applier.report();
}

}  // namespace layer
