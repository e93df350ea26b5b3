// Packs what a step changed into a layer: the tar whose digest is the diff_id, compressed into a blob.
#pragma once

#include <cstdint>
#include <optional>

#include "common/image/descriptor.hpp"
#include "common/layer/change_set.hpp"
#include "common/stream/sink.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/copy_content.hpp"

namespace layer {

struct PackOptions {
  stream::Compressor compressor = stream::Compressor::gzip;
  std::optional<int> compression_level;
  // mtimes after this second are written as it ("rewrite-timestamp").
  std::optional<std::int64_t> newest_mtime;
};

struct PackedLayer {
  hash::Digest diff_id;
  image::Descriptor blob;  // with the OCI media type of its compression
};

// Writes the layer of diff(upper, lower) to `blob_file`, which is empty. Byte for byte what BuildKit writes,
// before compression: parents stand before their children once, whiteouts are ".wh.NAME" without metadata,
// hard links within the change are links, sockets are left out, of xattrs only security.capability is kept,
// mtimes are whole seconds. No change at all gives the empty tar of 1024 zero bytes. Memory is constant but
// for hard links and names of directories. Throws util::Error, also as sys::Cancellation::check does.
PackedLayer pack(const ChangeSet& upper, const ChangeSet* lower, const sys::NamedFile& blob_file,
                 const PackOptions& options, const sys::Cancellation& cancel = {});

}  // namespace layer
