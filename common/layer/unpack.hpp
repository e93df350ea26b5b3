// Unpacks the layers of an image, checked, into a directory.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/image/archive.hpp"
#include "common/layer/apply.hpp"

namespace layer {

// The tar archive of a layer, of the bytes that `stored` gives. A thread of its own checks them, decompresses
// and checks again while the caller reads.
std::unique_ptr<stream::Source> open_layer(std::unique_ptr<stream::Source> stored,
                                           const image::Descriptor& blob, const hash::Digest& diff_id);

// The compressed bytes of a layer, unchecked.
using OpenBlob = std::function<std::unique_ptr<stream::Source>(const image::Descriptor& blob)>;

// Unpacks all layers of `image` into the empty directory `root`, each checked against its digest and its
// diff_id while it is read; decompression runs in a thread of its own. `what` names the image in errors.
// Throws util::Error; then what is in `root` is of no use.
Report unpack(const image::Image& image, const OpenBlob& open_blob, const std::string& what,
              sys::RootedDir& root, const ApplyOptions& options = {});

}  // namespace layer
