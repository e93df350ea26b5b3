// Archives and layouts.
#include "common/output/write.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <limits>
#include <map>

#include "common/hash/sha256.hpp"
#include "common/image/archive_writer.hpp"
#include "common/image/descriptor.hpp"
#include "common/output/documents.hpp"
#include "common/stream/sink.hpp"
#include "common/sys/copy_content.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/proc.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace output {
namespace {

namespace fs = std::filesystem;

// A blob is a file or bytes at hand.
struct Blob {
  std::string content;
  std::function<sys::UniqueFd()> open = {};
  std::uint64_t size = 0;
  bool given_up = false;  // the file is of no more use afterwards
};

// Sorted as the archive wants them.
std::map<hash::Digest, Blob> blobs_of(const std::vector<Image>& images,
                                      OwnLayers own_layers = OwnLayers::kept) {
  std::map<hash::Digest, Blob> blobs;
  const auto put = [&](const hash::Digest& digest, Blob blob) {
    if (!blob.content.empty()) blob.size = blob.content.size();
    blobs.try_emplace(digest, std::move(blob));
  };
  for (const auto& image : images) {
    put(image.config.digest, {.content = image.config_json, .open = {}});
    put(image.manifest.digest, {.content = image.manifest_json, .open = {}});
    for (const auto& layer : image.layers) {
      put(layer.descriptor.digest, {.content = {},
                                    .open = layer.open,
                                    .size = layer.descriptor.size,
                                    .given_up = layer.is_own && own_layers == OwnLayers::given_up});
    }
    if (image.statements.empty()) continue;
    put(hash::sha256(empty_config), {.content = std::string(empty_config), .open = {}});
    const auto manifest = attestation_document(image);
    put(hash::sha256(manifest), {.content = manifest, .open = {}});
    for (const auto& statement : image.statements)
      put(hash::sha256(statement.json), {.content = statement.json, .open = {}});
  }
  return blobs;
}

// Without a buffer, so that files can be put between what it writes.
class DirectSink : public stream::Sink {
public:
  explicit DirectSink(const sys::NamedFile& file) : file_(file) {}

  void write(std::span<const std::byte> data) override { sys::write_all(file_.fd, data, file_.what); }
  void finish() override {}

private:
  const sys::NamedFile& file_;
};

class BlobWriter {
public:
  explicit BlobWriter(sys::NamedFile file) : file_(std::move(file)), sink_(file_), archive_(sink_) {}

  image::ArchiveWriter& archive() noexcept { return archive_; }

  void add(const hash::Digest& digest, const Blob& blob) {
    const auto name = image::blob_name(digest);
    if (!blob.open) return archive_.add(name, blob.content, 0444);
    auto& tar = archive_.begin(name, blob.size, 0444);
    add_file(blob, "the layer in " + util::quote(name));
    tar.count_content(blob.size);
  }

private:
  void add_file(const Blob& blob, const std::string& what) {
    const auto from = blob.open();
    const std::uint64_t step = blob.given_up ? 4 << 20 : blob.size;
    for (std::uint64_t done = 0; done < blob.size;) {
      const auto part = std::min(step, blob.size - done);
      if (sys::copy_content({from.get(), what}, file_, part) < part)
        throw util::Error(what + " is shorter than it was");
      // Where the filesystem cannot do it, the whole file goes later.
      if (blob.given_up) {
        ::fallocate(from.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(done),
                    static_cast<off_t>(part));
      }
      done += part;
    }
  }

  sys::NamedFile file_;
  DirectSink sink_;
  image::ArchiveWriter archive_;
};

// The link shares its mode with `from`, which may belong to somebody: only a copy can be made readable.
void link_or_copy(const sys::UniqueFd& from, const fs::path& to) {
  constexpr mode_t readable = S_IRUSR | S_IRGRP | S_IROTH;
  const auto link = sys::link_of(from.get());
  struct stat status = {};
  if (::fstat(from.get(), &status) == 0 && (status.st_mode & readable) == readable &&
      ::linkat(AT_FDCWD, link.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0)
    return;
  const auto what = util::quote(to.string());
  sys::UniqueFd target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!target) util::throw_errno("cannot create " + what);
  sys::copy_content({from.get(), "the layer of " + what}, {target.get(), what},
                    std::numeric_limits<std::uint64_t>::max());
  if (::fchmod(target.get(), readable) != 0) util::throw_errno("cannot set the mode of " + what);
  sys::close_checked(std::move(target), what);
}

}  // namespace

void write_docker_archive(const Image& image, const std::string& created, const fs::path& path,
                          OwnLayers own_layers, const std::vector<image::Reference>& repo_tags) {
  const auto what = util::quote(path.string());
  // Not O_TRUNC, not even of an empty file: ext4 takes that for a replacement, and writes it all to disk when
  // it is closed.
  sys::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (!file || ::fchmod(file.get(), 0644) != 0)
    util::throw_errno("cannot write " + what);  // whatever the umask
  BlobWriter blobs({file.get(), what});
  auto& archive = blobs.archive();
  archive.add_blob_directories();
  for (const auto& [digest, blob] : blobs_of({image}, own_layers))
    blobs.add(digest, blob);
  archive.add("index.json", layout_index_document(image.manifest, created, repo_tags));
  archive.add("manifest.json", docker_manifest_document(image, repo_tags));
  archive.add("oci-layout", image::layout_marker, 0444);
  archive.finish();
  sys::close_checked(std::move(file), what);
}

void write_oci_layout(const std::vector<Image>& images, const std::string& created, const fs::path& layout,
                      Root kind, const std::vector<image::Reference>& repo_tags) {
  if (::mkdir(layout.c_str(), 0755) != 0) {
    const int error = errno;
    if (error != EEXIST || !sys::entries_of(layout).empty())
      util::throw_errno("cannot create " + util::quote(layout.string()), error);
  }
  const auto blobs = layout / "blobs" / "sha256";
  sys::set_mode(layout, 0755);  // whatever the umask
  for (const auto& made : {blobs.parent_path(), blobs})
    sys::make_directory(made, 0755);
  for (const auto& [digest, blob] : blobs_of(images)) {
    if (!blob.open) {
      sys::write_file(layout / image::blob_name(digest), blob.content);
    } else {
      link_or_copy(blob.open(), layout / image::blob_name(digest));
    }
  }
  image::Descriptor root = images.front().manifest;
  const bool has_statements =
      std::any_of(images.begin(), images.end(), [](const Image& image) { return !image.statements.empty(); });
  if (kind == Root::index || has_statements) {
    // Of one platform the annotations are the image's alone, as BuildKit is told to have it.
    const std::string index =
        index_document(images, kind == Root::index ? images.front().annotations : Annotations());
    root = {.media_type = std::string(image::media_type::oci_index),
            .digest = hash::sha256(index),
            .size = index.size()};
    sys::write_file(layout / image::blob_name(root.digest), index);
  }
  root.annotations[image::annotation::ref_name] = "latest";  // as BuildKit's client calls it
  sys::write_file(layout / "oci-layout", image::layout_marker);
  sys::write_file(layout / "index.json", layout_index_document(root, created, repo_tags));
}

}  // namespace output
