// Walks from the roots of an archive to its blobs.
#include "common/image/contents.hpp"

#include <set>
#include <utility>

#include "common/hash/sha256.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace image {
namespace {

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

class Collector {
public:
  explicit Collector(const Archive& archive) : archive_(archive) {}

  Contents collect(const std::optional<Platform>& platform) {
    if (archive_.platforms().empty()) throw util::Error(archive_.what() + " holds no image");
    contents_.root = platform ? one_image(*platform) : whole();
    contents_.root.annotations.clear();
    return std::move(contents_);
  }

private:
  std::string name_of(const Descriptor& descriptor) const {
    return archive_.what() + ": blob " + descriptor.digest.str();
  }

  Descriptor whole() {
    const auto& roots = archive_.roots();
    if (roots.size() > 1) require_distinct_platforms(archive_);
    if (roots.size() == 1 && !archive_.index_digest()) return convert(archive_.image(std::nullopt));
    std::vector<Descriptor> images;
    for (const auto& root : roots)
      images.push_back(add_root(root));
    if (images.size() == 1) return images[0];
    return make(to_json(Index{std::string(media_type::oci_index), images}), media_type::oci_index);
  }

  Descriptor one_image(const Platform& platform) {
    const auto image = archive_.image(platform);
    if (!image.manifest) return convert(image);
    add(*image.manifest);
    return *image.manifest;
  }

  Descriptor add_root(const Descriptor& root) {
    if (!media_type::is_manifest(root.media_type) && !media_type::is_index(root.media_type)) {
      // A config alone: one of several images of an older docker-save tar.
      const auto platform = parse_config(archive_.read_document(root), name_of(root)).platform;
      auto manifest = convert(archive_.image(platform));
      manifest.platform = platform;
      return manifest;
    }
    add(root);
    Descriptor entry{root.media_type, root.digest, root.size};
    entry.platform = root.platform;
    return entry;
  }

  // A manifest or index with all below it.
  void add(const Descriptor& descriptor) {
    if (!seen_.insert(descriptor.digest).second) return;
    if (!archive_.find(descriptor)) {
      contents_.absent.push_back(descriptor);
      return;
    }
    if (media_type::is_manifest(descriptor.media_type)) {
      add_parts(descriptor);
    } else if (media_type::is_index(descriptor.media_type) && !descriptor.is_attestation()) {
      const auto index = parse_index(archive_.read_document(descriptor), name_of(descriptor));
      for (const auto& child : index.manifests)
        add(child);
    }
    contents_.manifests.push_back(descriptor);
  }

  void add_parts(const Descriptor& descriptor) {
    const auto manifest = parse_manifest(archive_.read_document(descriptor), name_of(descriptor));
    auto parts = manifest.layers;
    parts.push_back(manifest.config);
    bool is_whole = true;
    for (const auto& part : parts) {
      // An image works without its attestations.
      if (descriptor.is_attestation()) {
        is_whole = take(part) && is_whole;
      } else {
        need(part);
      }
    }
    if (!is_whole) contents_.absent.push_back(descriptor);
  }

  // False if the archive does not hold it.
  bool take(const Descriptor& descriptor) {
    if (seen_.contains(descriptor.digest)) return true;
    if (!archive_.find(descriptor)) return false;
    seen_.insert(descriptor.digest);
    contents_.blobs.push_back(descriptor);
    return true;
  }

  void need(const Descriptor& descriptor) {
    if (!take(descriptor)) throw util::Error(name_of(descriptor) + " is missing");
  }

  Descriptor convert(const Image& image) {
    const Manifest manifest{
        std::string(media_type::oci_manifest),
        {std::string(media_type::oci_config), image.config_digest, image.config_json.size()},
        image.layers};
    need(manifest.config);
    for (const auto& layer : manifest.layers)
      need(layer);
    return make(to_json(manifest), media_type::oci_manifest);
  }

  Descriptor make(std::string json, std::string_view media_type) {
    Descriptor descriptor{std::string(media_type), hash::sha256(json), json.size()};
    if (seen_.insert(descriptor.digest).second) {
      contents_.manifests.push_back(descriptor);
      contents_.made.emplace(descriptor.digest, std::move(json));
    }
    return descriptor;
  }

  const Archive& archive_;
  Contents contents_{{"", hash::sha256("")}, {}, {}, {}, {}};
  std::set<hash::Digest> seen_;
};

}  // namespace

std::string Contents::document(const Archive& archive, const Descriptor& manifest) const {
  const auto found = made.find(manifest.digest);
  return found == made.end() ? archive.read_document(manifest) : found->second;
}

Contents contents_of(const Archive& archive, const std::optional<Platform>& platform) {
  return Collector(archive).collect(platform);
}

}  // namespace image
