// Finds digests for what a docker-save tar knows by name only.
#include "common/image/docker_archive.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include "common/hash/sha256.hpp"
#include "common/image/choices.hpp"
#include "common/stream/decompressed.hpp"
#include "common/stream/verified_source.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace image {
namespace {

// The digest that a member's name claims: "HEX.json", "blobs/sha256/HEX", "sha256:HEX", "HEX.tar.gz". Names
// such as "ID/layer.tar" claim none.
std::optional<hash::Digest> claimed_digest(const std::string& name) {
  std::string_view hex = name;
  hex.remove_prefix(hex.rfind('/') + 1);  // npos + 1 is 0
  if (hex.starts_with("sha256:")) hex.remove_prefix(7);
  hex = hex.substr(0, hex.find('.'));
  try {
    return hash::Digest::from_hex(hex);
  } catch (const util::Error&) {
    return std::nullopt;
  }
}

std::string_view layer_type(stream::Compression compression) {
  switch (compression) {
    case stream::Compression::gzip:
      return media_type::oci_layer_gzip;
    case stream::Compression::zstd:
      return media_type::oci_layer_zstd;
    case stream::Compression::bzip2:
    case stream::Compression::xz:  // no media type stands for them: readers go by content
    case stream::Compression::none:
      break;
  }
  return media_type::oci_layer;
}

class DockerArchive : public Archive {
public:
  DockerArchive(std::unique_ptr<Members> members, const std::string& what)
      : Archive(what), members_(std::move(members)) {
    const auto name = what + ": 'manifest.json'";
    const auto location = members_->find("manifest.json");
    if (!location) throw util::Error(what + " has no 'manifest.json'");
    const auto saved = parse_saved_images(read_unchecked(*location, name), name);
    if (saved.size() > max_images) {
      throw util::Error(what + " holds more than " + std::to_string(max_images) + " images");
    }
    for (const auto& image : saved)
      add(image);
  }

  Format format() const override { return Format::docker_archive; }
  const std::vector<Descriptor>& roots() const override { return roots_; }
  std::optional<hash::Digest> index_digest() const override { return std::nullopt; }

  std::vector<Platform> platforms() const override { return platforms_of(choices_); }

  Image image(const std::optional<Platform>& platform) const override {
    const auto& choice = choose(choices_, platform, what());
    Image image{std::nullopt, choice.descriptor.digest, read_document(choice.descriptor), {}, {}};
    image.config = parse_config(image.config_json, what() + ": config");
    const auto& layers = layers_.at(choice.descriptor.digest);
    if (image.config.diff_ids.size() != layers.size()) {
      throw util::Error(what() + ": 'manifest.json' has " + std::to_string(layers.size()) +
                        " layers, but the config " + std::to_string(image.config.diff_ids.size()));
    }
    for (std::size_t i = 0; i < layers.size(); ++i) {
      image.layers.push_back(describe_layer(layers[i], image.config.diff_ids[i]));
    }
    return image;
  }

  std::optional<Location> find(const Descriptor& descriptor) const override {
    const std::lock_guard lock(mutex_);
    const auto found = blobs_.find(descriptor.digest);
    return found == blobs_.end() ? std::nullopt : std::optional(found->second);
  }

private:
  Location need(const std::string& name) const {
    auto location = members_->find(clean_name(name));
    if (!location) {
      throw util::Error(what() + " has no " + util::quote(name) + ", which its 'manifest.json' names");
    }
    return *location;
  }

  // Members are looked up by clean names; no tool writes "./" or ".." here.
  static std::string clean_name(const std::string& name) {
    return name.starts_with("./") ? name.substr(2) : name;
  }

  void add(const SavedImage& saved) {
    const auto location = need(saved.config);
    const auto name = what() + ": " + util::quote(saved.config);
    const auto json = read_unchecked(location, name);
    const auto digest = hash::sha256(json);
    if (const auto claimed = claimed_digest(saved.config); claimed && *claimed != digest) {
      throw util::Error(name + " is damaged: its digest is " + digest.str());
    }
    if (!layers_.emplace(digest, saved.layers).second) return;
    blobs_.emplace(digest, location);
    Descriptor descriptor{std::string(media_type::docker_config), digest, location.size};
    if (!saved.repo_tags.empty()) descriptor.annotations[annotation::image_name] = saved.repo_tags[0];
    roots_.push_back(descriptor);
    choices_.push_back({descriptor, parse_config(json, name).platform, roots_.size() - 1});
  }

  Descriptor describe_layer(const std::string& name, const hash::Digest& diff_id) const {
    const auto location = need(name);
    const auto shown = what() + ": " + util::quote(name);
    const auto open = [&] { return stream::from_range(location.fd, location.offset, location.size, shown); };
    std::array<std::byte, stream::detect_size> head;
    const auto compression = stream::detect(std::span(head).first(stream::read_full(*open(), head)));
    auto digest = diff_id;
    if (compression != stream::Compression::none) {
      // A claim is checked by whoever reads the blob, a missing one costs reading it here.
      const auto claimed = claimed_digest(name);
      digest = claimed && *claimed != diff_id ? *claimed : stream::digest_of(*open());
    }
    const std::lock_guard lock(mutex_);
    blobs_.emplace(digest, location);
    return {std::string(layer_type(compression)), digest, location.size};
  }

  std::unique_ptr<Members> members_;
  std::vector<Descriptor> roots_;
  std::vector<Choice> choices_;
  std::map<hash::Digest, std::vector<std::string>> layers_;  // names of members, by config
  mutable std::mutex mutex_;
  mutable std::map<hash::Digest, Location>
      blobs_;  // guarded by mutex_: layers are added as they are asked for
};

}  // namespace

std::unique_ptr<Archive> open_docker_archive(std::unique_ptr<Members> members, const std::string& what) {
  return std::make_unique<DockerArchive>(std::move(members), what);
}

}  // namespace image
