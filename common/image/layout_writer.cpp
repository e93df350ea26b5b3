// Collects what an image consists of and puts it in place, several blobs at a time.
#include "common/image/layout_writer.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#include "common/hash/sha256.hpp"
#include "common/image/place_blob.hpp"
#include "common/sys/file.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/sys/thread.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace image {
namespace {

void make_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0755) != 0) util::throw_errno("cannot create " + util::quote(path.string()));
}

std::string name_of(const Archive& archive, const Descriptor& descriptor) {
  return archive.what() + ": blob " + descriptor.digest.str();
}

// Side by side, two images are told apart by their platforms alone.
void require_distinct_platforms(const Archive& archive) {
  std::set<std::string> seen;
  for (const auto& platform : archive.platforms()) {
    if (!seen.insert(platform.str()).second) {
      throw util::Error(archive.what() + " holds several images for " + util::escape(platform.str()) +
                        "; save one alone");
    }
  }
}

}  // namespace

LayoutWriter::LayoutWriter(std::filesystem::path directory) : directory_(std::move(directory)) {
  make_directory(directory_);
  make_directory(directory_ / "blobs");
  make_directory(directory_ / "blobs/sha256");
}

LayoutWriter::~LayoutWriter() {
  if (committed_) return;
  try {
    sys::remove_tree(directory_);
  } catch (const util::Error& error) {
    util::log::warning(error.what());
  }
}

std::filesystem::path LayoutWriter::path_of(const hash::Digest& digest) const {
  return directory_ / "blobs/sha256" / digest.hex();
}

Descriptor LayoutWriter::add(const Archive& archive, const std::string& name) {
  const auto& roots = archive.roots();
  if (archive.platforms().empty()) throw util::Error(archive.what() + " holds no image");
  if (roots.size() > 1) require_distinct_platforms(archive);
  std::vector<Descriptor> blobs;
  std::vector<Descriptor> images;
  if (archive.index_digest() || roots.size() > 1) {
    for (const auto& root : roots)
      images.push_back(add_root(archive, root, blobs));
  } else {
    images.push_back(convert(archive, std::nullopt, blobs));
  }
  place(archive, std::move(blobs));
  auto entry = images.size() == 1 ? images[0]
                                  : write_document(to_json(Index{std::string(media_type::oci_index), images}),
                                                   media_type::oci_index);
  entry.annotations = {{annotation::ref_name, name}};
  entries_.push_back(entry);
  return entry;
}

Descriptor LayoutWriter::add_root(const Archive& archive, const Descriptor& root,
                                  std::vector<Descriptor>& blobs) {
  if (!media_type::is_manifest(root.media_type) && !media_type::is_index(root.media_type)) {
    // A config alone: one of several images of an older docker-save tar.
    const auto platform = parse_config(archive.read_document(root), name_of(archive, root)).platform;
    auto manifest = convert(archive, platform, blobs);
    manifest.platform = platform;
    return manifest;
  }
  collect(archive, root, blobs);
  Descriptor entry{root.media_type, root.digest, root.size};
  entry.platform = root.platform;
  return entry;
}

// What an index names but the archive does not hold was left out when the image was saved.
void LayoutWriter::collect(const Archive& archive, const Descriptor& descriptor,
                           std::vector<Descriptor>& blobs) {
  if (known_.contains(descriptor.digest) || !take(archive, descriptor, blobs)) return;
  if (media_type::is_manifest(descriptor.media_type)) {
    collect_manifest(archive, descriptor, blobs);
  } else if (media_type::is_index(descriptor.media_type) && !descriptor.is_attestation()) {
    const auto index = parse_index(archive.read_document(descriptor), name_of(archive, descriptor));
    for (const auto& child : index.manifests)
      collect(archive, child, blobs);
  }
}

void LayoutWriter::collect_manifest(const Archive& archive, const Descriptor& descriptor,
                                    std::vector<Descriptor>& blobs) {
  const auto manifest = parse_manifest(archive.read_document(descriptor), name_of(archive, descriptor));
  auto parts = manifest.layers;
  parts.push_back(manifest.config);
  for (const auto& part : parts) {
    // An image works without its attestations.
    if (descriptor.is_attestation()) {
      take(archive, part, blobs);
    } else {
      need(archive, part, blobs);
    }
  }
}

// False if the archive does not hold it.
bool LayoutWriter::take(const Archive& archive, const Descriptor& descriptor,
                        std::vector<Descriptor>& blobs) {
  if (known_.contains(descriptor.digest)) return true;
  if (!archive.find(descriptor)) return false;
  known_.insert(descriptor.digest);
  blobs.push_back(descriptor);
  return true;
}

void LayoutWriter::need(const Archive& archive, const Descriptor& descriptor,
                        std::vector<Descriptor>& blobs) {
  if (!take(archive, descriptor, blobs)) throw util::Error(name_of(archive, descriptor) + " is missing");
}

Descriptor LayoutWriter::convert(const Archive& archive, const std::optional<Platform>& platform,
                                 std::vector<Descriptor>& blobs) {
  const auto image = archive.image(platform);
  Manifest manifest{std::string(media_type::oci_manifest),
                    {std::string(media_type::oci_config), image.config_digest, image.config_json.size()},
                    image.layers};
  need(archive, manifest.config, blobs);
  for (const auto& layer : manifest.layers)
    need(archive, layer, blobs);
  return write_document(to_json(manifest), media_type::oci_manifest);
}

Descriptor LayoutWriter::write_document(const std::string& json, std::string_view media_type) {
  Descriptor descriptor{std::string(media_type), hash::sha256(json), json.size()};
  if (known_.insert(descriptor.digest).second) sys::write_file(path_of(descriptor.digest), json);
  return descriptor;
}

// How many bytes were copied.
std::uint64_t LayoutWriter::place(const Archive& archive, const Descriptor& blob) const {
  // Found anew here, so that no more files are open than are being read.
  const auto location = archive.find(blob);
  if (!location) throw util::Error(name_of(archive, blob) + " is missing");
  const auto placement = place_blob(*location, blob.digest, path_of(blob.digest), name_of(archive, blob));
  return placement == Placement::copied ? location->size : 0;
}

void LayoutWriter::place(const Archive& archive, std::vector<Descriptor> blobs) {
  // The largest first, so that no thread is left with it at the end.
  std::sort(blobs.begin(), blobs.end(),
            [](const Descriptor& a, const Descriptor& b) { return a.size > b.size; });
  std::atomic<std::size_t> next = 0;
  std::atomic<std::uint64_t> copied = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    for (std::size_t i = next++; i < blobs.size(); i = next++) {
      try {
        copied += place(archive, blobs[i]);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = blobs.size();
      }
    }
  };
  if (!blobs.empty()) {
    const auto helpers = sys::start_threads(std::min(blobs.size(), sys::processor_count()) - 1, work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
  copied_ += copied;
}

void LayoutWriter::commit() {
  sys::write_file(directory_ / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  sys::write_file(directory_ / "index.json", to_json(Index{std::string(media_type::oci_index), entries_}));
  committed_ = true;
}

}  // namespace image
