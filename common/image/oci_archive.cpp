// Walks from index.json to the images.
#include "common/image/oci_archive.hpp"

#include <algorithm>
#include <set>

#include "common/image/choices.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace image {
namespace {

class OciArchive : public Archive {
public:
  OciArchive(std::unique_ptr<Members> members, Format format, const std::string& what, const Selection& only)
      : Archive(what), members_(std::move(members)), format_(format) {
    const auto name = what + ": 'index.json'";
    const auto location = members_->find("index.json");
    if (!location) throw util::Error(what + " has no 'index.json'");
    const auto entries = parse_index(read_unchecked(*location, name), name).manifests;
    for (const auto& descriptor : entries) {
      if (const auto tag = tag_of(descriptor); !tag.empty() && !descriptor.is_attestation())
        tags_.insert(tag);
    }
    if (!only.tag.empty() && tags_.count(only.tag) == 0) {
      throw util::Error(what + " holds no image with the tag " + util::quote(only.tag) +
                        (tags_.empty() ? ", nor any with a tag" : ", only " + tags()));
    }
    for (const auto& descriptor : entries) {
      const bool wanted = (!only.digest || descriptor.digest == *only.digest) &&
                          (only.tag.empty() || tag_of(descriptor) == only.tag);
      if (wanted) add_root(descriptor);
    }
  }

  Format format() const override { return format_; }
  const std::vector<Descriptor>& roots() const override { return roots_; }

  std::optional<hash::Digest> index_digest() const override {
    return roots_.size() == 1 ? std::optional(roots_[0].digest) : std::nullopt;
  }

  std::vector<Platform> platforms() const override { return platforms_of(choices_); }

  Image image(const std::optional<Platform>& platform) const override {
    const auto& choice = choose(choices_, platform, what(),
                                format_ == Format::oci_layout && !tags_.empty()
                                    ? "name one as LAYOUT:TAG, with a tag of " + tags()
                                    : "save one alone");
    auto manifest = read_manifest(choice.descriptor);
    util::with_context(name_of(choice.descriptor), [&] { refuse_artifact(manifest); });
    auto config_json = read_document(manifest.config);
    auto config = parse_config(config_json, name_of(manifest.config));
    if (config.diff_ids.size() != manifest.layers.size()) {
      throw util::Error(name_of(choice.descriptor) + " has " + std::to_string(manifest.layers.size()) +
                        " layers, but its config " + std::to_string(config.diff_ids.size()));
    }
    return {choice.descriptor, manifest.config.digest, std::move(config_json), std::move(config),
            std::move(manifest.layers)};
  }

  std::optional<Location> find(const Descriptor& descriptor) const override {
    auto location = members_->find(blob_name(descriptor.digest));
    if (location && location->size != descriptor.size) {
      throw util::Error(name_of(descriptor) + " is damaged: its size is " + std::to_string(location->size) +
                        " bytes, not " + std::to_string(descriptor.size));
    }
    return location;
  }

private:
  std::string name_of(const Descriptor& descriptor) const {
    return what() + ": blob " + descriptor.digest.str();
  }

  static std::string tag_of(const Descriptor& descriptor) {
    const auto found = descriptor.annotations.find(annotation::ref_name);
    return found == descriptor.annotations.end() ? std::string() : found->second;
  }

  std::string tags() const {
    std::vector<std::string> quoted;
    for (const auto& tag : tags_)
      quoted.push_back(util::quote(tag));
    return util::join(quoted, ", ");
  }

  Manifest read_manifest(const Descriptor& descriptor) const {
    return parse_manifest(read_document(descriptor), name_of(descriptor));
  }

  void add_root(const Descriptor& descriptor) {
    const auto same = [&](const Descriptor& root) { return root.digest == descriptor.digest; };
    if (descriptor.is_attestation() || std::any_of(roots_.begin(), roots_.end(), same)) return;
    if (!find(descriptor)) throw util::Error(name_of(descriptor) + " is missing");
    roots_.push_back(descriptor);
    add(descriptor, 0);
  }

  void add(const Descriptor& descriptor, int depth) {
    if (descriptor.is_attestation() || !find(descriptor)) return;
    // The same image under two names of one index, or an index that is reached twice.
    if (!seen_.insert({roots_.size(), descriptor.digest}).second) return;
    if (seen_.size() > max_images) {
      throw util::Error(what() + " holds more than " + std::to_string(max_images) + " images");
    }
    if (media_type::is_manifest(descriptor.media_type)) {
      choices_.push_back({descriptor, platform_of(descriptor), roots_.size() - 1});
    } else if (media_type::is_index(descriptor.media_type)) {
      if (depth == max_index_depth)
        throw util::Error(name_of(descriptor) + " is nested too deep in other indexes");
      const auto index = parse_index(read_document(descriptor), name_of(descriptor));
      for (const auto& manifest : index.manifests)
        add(manifest, depth + 1);
    }
  }

  Platform platform_of(const Descriptor& descriptor) const {
    if (descriptor.platform && !descriptor.platform->architecture.empty()) return *descriptor.platform;
    const auto manifest = read_manifest(descriptor);
    return parse_config(read_document(manifest.config), name_of(manifest.config)).platform;
  }

  std::unique_ptr<Members> members_;
  Format format_;
  std::set<std::string> tags_;  // of all entries of the index
  std::vector<Descriptor> roots_;
  std::vector<Choice> choices_;
  std::set<std::pair<std::size_t, hash::Digest>> seen_;
};

}  // namespace

std::unique_ptr<Archive> open_oci_archive(std::unique_ptr<Members> members, Format format,
                                          const std::string& what, const Selection& only) {
  return std::make_unique<OciArchive>(std::move(members), format, what, only);
}

}  // namespace image
