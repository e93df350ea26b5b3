// Packs what a step changed into a layer: the tar whose digest is the diff_id, compressed into a blob.
#pragma once

#include <cstdint>
#include <optional>

#include "common/image/descriptor.hpp"
#include "common/layer/change_set.hpp"
#include "common/stream/sink.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/copy_content.hpp"
#include "common/sys/fd.hpp"

namespace layer {

struct PackOptions {
  stream::Compressor compressor = stream::Compressor::gzip;
  std::optional<int> compression_level;
  // mtimes after this second are written as it ("rewrite-timestamp").
  std::optional<std::int64_t> newest_mtime;
  bool look_for_losses = false;
};

struct PackedLayer {
  hash::Digest diff_id;
  image::Descriptor blob;  // with the OCI media type of its compression
  // False if the layer unpacked is not what was packed: a file has extended attributes that no layer holds,
  // or the name of a whiteout. Known where PackOptions asks for it.
  bool is_whole = true;
  bool removes = false;  // something that lies below: unpacked alone the layer would not
};

// The OCI media type of layers that are compressed so.
std::string_view media_type_of(stream::Compressor compressor);

// Writes the layer of diff(upper, lower) to `blob_file`, which is empty. Byte for byte what BuildKit writes,
// before compression: parents stand before their children once, whiteouts are ".wh.NAME" without metadata,
// hard links within the change are links, sockets are left out, of xattrs only security.capability is kept,
// mtimes are whole seconds. No change at all gives the empty tar of 1024 zero bytes. Memory is constant but
// for hard links and names of directories. Throws util::Error, also as sys::Cancellation::check does.
PackedLayer pack(const ChangeSet& upper, const ChangeSet* lower, const sys::NamedFile& blob_file,
                 const PackOptions& options, const sys::Cancellation& cancel = {});

// Writes the layer `packed`, which `blob` holds, once more: in another compression, or with mtimes of another
// newest second. The rest is as it was, byte for byte; what `packed` says is checked meanwhile. Throws
// util::Error, also as sys::Cancellation::check does.
PackedLayer repack(sys::UniqueFd blob, const PackedLayer& packed, const sys::NamedFile& blob_file,
                   const PackOptions& options, const sys::Cancellation& cancel = {});

}  // namespace layer
