// The layers of an image one by one: what they are, and one of them alone.
#pragma once

#include <string>

#include "common/image/archive.hpp"

namespace oci_unpack {

// A table for people: one line for each line of the history, lowest first, with the layer that it made; a
// layer that the history does not tell of has a line of its own. Ends in a newline.
std::string list_layers(const image::Image& image);

// The same as one line of JSON, schema "oci-build/layers/1", without a newline.
std::string layers_to_json(const image::Image& image);

// `image` with one of its layers alone: that with this number, counted from 1, or with this digest, as it is
// stored or unpacked. `what` names the image. Throws util::Error where there is none.
image::Image with_layer(image::Image image, const std::string& layer, const std::string& what);

// The tar of the one layer of `image` to stdout, uncompressed and as it is. It is read twice, so that nothing
// is written before all of it is verified. Throws util::Error, also where stdout is a terminal.
void write_layer(const image::Archive& archive, const image::Image& image);

}  // namespace oci_unpack
