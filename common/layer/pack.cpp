// From changes to the bytes of a layer.
#include "common/layer/pack.hpp"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "common/layer/diff.hpp"
#include "common/layer/unpack.hpp"
#include "common/stream/verified_source.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/tar/from_file.hpp"
#include "common/tar/reader.hpp"
#include "common/tar/writer.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace layer {
namespace {

class Packer {
public:
  Packer(const ChangeSet& upper, const PackOptions& options, const sys::Cancellation& cancel,
         stream::Sink& sink)
      : upper_(upper), options_(options), cancel_(cancel), writer_(sink), buffer_(256 << 10) {}

  void add(const Change& change) {
    if (change.kind == Change::Kind::removed) {
      removes_ = true;
      add_whiteout(change.path);
    } else if (!S_ISSOCK(change.status.st_mode)) {
      add_parents(change.path);
      add_entry(change.path, change.status);
    }
  }

  void finish() { writer_.finish(); }

  bool is_whole() const noexcept { return is_whole_; }
  bool removes() const noexcept { return removes_; }

private:
  void add_whiteout(const std::string& path) {
    add_parents(path);
    const auto slash = path.rfind('/');
    const std::size_t base = slash == std::string::npos ? 0 : slash + 1;
    tar::Entry entry;
    entry.path = path.substr(0, base) + ".wh." + path.substr(base);
    writer_.add(entry);
  }

  // Directories on the way that have no entry yet, with the metadata they have now.
  void add_parents(const std::string& path) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const std::string parent = path.substr(0, slash);
      if (directories_.count(parent) > 0) continue;
      const auto status = upper_.status(parent);
      if (!status || !S_ISDIR(status->st_mode))
        throw util::Error(util::quote(parent) + " changed while it was packed");
      add_entry(parent, *status);
    }
  }

  void add_entry(const std::string& path, const struct stat& status) {
    auto entry = tar::entry_of(path, status);
    if (options_.newest_mtime && entry.mtime.seconds > *options_.newest_mtime) {
      entry.mtime.seconds = *options_.newest_mtime;
    }
    switch (entry.type) {
      case tar::Type::directory:
        if (!directories_.insert(path).second) return;
        entry.path += '/';
        break;
      case tar::Type::symlink:
        entry.link_target = upper_.read_link(path);
        break;
      default:
        break;
    }
    if (options_.look_for_losses) {
      is_whole_ = is_whole_ && !path.substr(path.rfind('/') + 1).starts_with(".wh.") &&
                  (entry.type == tar::Type::symlink || !upper_.has_more_attributes(path));
    }
    if (entry.type != tar::Type::symlink) {
      if (auto capability = upper_.capability(path); !capability.empty())
        entry.xattrs["security.capability"] = std::move(capability);
    }
    if (entry.type != tar::Type::directory && status.st_nlink > 1) {
      const auto [first, is_first] = links_.emplace(std::pair(status.st_dev, status.st_ino), path);
      if (!is_first) {
        entry.type = tar::Type::hard_link;
        entry.link_target = first->second;
      }
    }
    if (entry.type == tar::Type::regular) entry.size = static_cast<std::uint64_t>(status.st_size);
    writer_.add(entry);
    if (entry.size > 0) add_content(path, entry.size);
  }

  void add_content(const std::string& path, std::uint64_t size) {
    const auto fd = upper_.open(path);
    if (size > buffer_.size()) ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    tar::write_content(writer_, fd.get(), size, util::quote(path), buffer_, cancel_);
  }

  const ChangeSet& upper_;
  const PackOptions& options_;
  const sys::Cancellation& cancel_;
  tar::Writer writer_;
  util::Buffer buffer_;
  bool is_whole_ = true;
  bool removes_ = false;
  std::set<std::string> directories_;                     // that have their entry
  std::map<std::pair<dev_t, ino_t>, std::string> links_;  // where the content of an inode stands
};

// Three threads: the caller makes the tar and hashes it, the next compresses, the last hashes and writes.
class BlobWriter {
public:
  BlobWriter(const sys::NamedFile& file, const PackOptions& options)
      : BlobWriter(std::make_unique<stream::HashingSink>(stream::to_fd(file.fd, file.what)), options) {}

  stream::Sink& tar() { return tar_; }

  PackedLayer finish() {
    tar_.finish();
    return {.diff_id = tar_.digest(),
            .blob = {.media_type = std::string(media_type_of(compressor_)),
                     .digest = blob_.digest(),
                     .size = blob_.size()}};
  }

private:
  BlobWriter(std::unique_ptr<stream::HashingSink> blob, const PackOptions& options)
      : compressor_(options.compressor),
        blob_(*blob),
        tar_(stream::write_behind(stream::compress(stream::write_behind(std::move(blob)), options.compressor,
                                                   options.compression_level))) {}

  stream::Compressor compressor_;
  const stream::HashingSink& blob_;
  stream::HashingSink tar_;
};

// Every member as it is, but for its time.
void copy_members(stream::Source& from, stream::Sink& to, std::int64_t newest_mtime,
                  const sys::Cancellation& cancel) {
  tar::Reader reader(from, "the layer");
  tar::Writer writer(to);
  tar::Entry entry;
  std::vector<std::byte> buffer(256 << 10);
  while (reader.next(entry)) {
    cancel.check();
    if (entry.mtime.seconds >= newest_mtime) entry.mtime = {.seconds = newest_mtime};
    if (entry.type == tar::Type::directory && !entry.path.ends_with('/')) entry.path += '/';
    writer.add(entry);
    while (const auto count = reader.read(buffer))
      writer.write(std::span(buffer).first(count));
  }
  writer.finish();
}

}  // namespace

std::string_view media_type_of(stream::Compressor compressor) {
  switch (compressor) {
    case stream::Compressor::none:
      return image::media_type::oci_layer;
    case stream::Compressor::gzip:
      return image::media_type::oci_layer_gzip;
    case stream::Compressor::zstd:
      return image::media_type::oci_layer_zstd;
  }
  return {};
}

PackedLayer pack(const ChangeSet& upper, const ChangeSet* lower, const sys::NamedFile& blob_file,
                 const PackOptions& options, const sys::Cancellation& cancel) {
  BlobWriter blob(blob_file, options);
  Packer packer(upper, options, cancel, blob.tar());
  diff(
      upper, lower, [&](const Change& change) { packer.add(change); }, cancel);
  packer.finish();
  auto packed = blob.finish();
  packed.is_whole = packer.is_whole();
  packed.removes = packer.removes();
  return packed;
}

PackedLayer repack(sys::UniqueFd blob, const PackedLayer& packed, const sys::NamedFile& blob_file,
                   const PackOptions& options, const sys::Cancellation& cancel) {
  const auto content = open_layer(stream::from_fd(std::move(blob), "the layer"), packed.blob, packed.diff_id);
  BlobWriter written(blob_file, options);
  if (options.newest_mtime) {
    copy_members(*content, written.tar(), *options.newest_mtime, cancel);
    stream::drain(*content);  // to where its digest is known
  } else {
    std::vector<std::byte> buffer(256 << 10);
    while (const auto count = content->read(buffer)) {
      cancel.check();
      written.tar().write(std::span(buffer).first(count));
    }
  }
  return written.finish();
}

}  // namespace layer
