// From the indexes of archives to the one above all of their images.
#include "tools/oci-merge/merge.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/hash/sha256.hpp"
#include "common/image/contents.hpp"
#include "common/image/manifest.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace oci_merge {
namespace {

using Annotations = std::map<std::string, std::string>;

class Merger {
public:
  void add(const image::Archive& archive) {
    archive_ = &archive;
    contents_ = image::contents_of(archive);
    absent_.clear();
    for (const auto& descriptor : contents_->absent)
      absent_.insert(descriptor.digest);
    if (!absent_.empty()) {
      util::log::warning(archive.what() + " names " + std::to_string(absent_.size()) +
                         (absent_.size() == 1 ? " image or attestation" : " images or attestations") +
                         " that it does not hold, left out");
    }
    add_entries(contents_->root);
    add_parts();
  }

  Merged finish() {
    const image::Index index{std::string(image::media_type::oci_index), std::move(entries_),
                             std::move(annotations_)};
    merged_.index_json = to_json(index);
    merged_.index = {index.media_type, hash::sha256(merged_.index_json), merged_.index_json.size()};
    return std::move(merged_);
  }

private:
  void add_entries(const image::Descriptor& descriptor) {
    if (absent_.contains(descriptor.digest)) return;
    if (!image::media_type::is_index(descriptor.media_type)) return add_entry(descriptor);
    indexes_.insert(descriptor.digest);
    const auto index = image::parse_index(contents_->document(*archive_, descriptor), archive_->what());
    for (const auto& [name, value] : index.annotations) {
      const auto [found, is_new] = annotations_.emplace(name, value);
      if (!is_new && found->second != value) {
        util::log::warning("annotation " + util::quote(name) + " of " + archive_->what() +
                           " differs from that of an image before it, which is kept");
      }
    }
    for (const auto& child : index.manifests)
      add_entries(child);
  }

  void add_entry(image::Descriptor entry) {
    if (entry.annotations.empty()) entry.annotations = annotations_of_root(entry.digest);
    if (!entry.is_attestation()) {
      entry.platform = platform_of(entry);
      const auto platform = entry.platform->str();
      const auto [other, is_new] = archives_.emplace(platform, archive_->what());
      if (!is_new) {
        throw util::Error(other->second + " and " + archive_->what() + " both hold an image for " +
                          util::escape(platform) + "; give one for each platform");
      }
    }
    entries_.push_back(std::move(entry));
  }

  Annotations annotations_of_root(const hash::Digest& digest) const {
    for (const auto& root : archive_->roots()) {
      if (root.digest != digest) continue;
      auto annotations = root.annotations;
      // What the entry of a layout is called, and when it was made: nothing of the image.
      for (const auto* name :
           {image::annotation::ref_name, image::annotation::image_name, image::annotation::created})
        annotations.erase(name);
      return annotations;
    }
    return {};
  }

  image::Platform platform_of(const image::Descriptor& entry) const {
    if (entry.platform && !entry.platform->architecture.empty()) return entry.platform->normalized();
    const auto manifest = image::parse_manifest(contents_->document(*archive_, entry), archive_->what());
    image::refuse_artifact(manifest);
    return image::parse_config(archive_->read_document(manifest.config), archive_->what())
        .platform.normalized();
  }

  // All but the indexes, which the new one stands for.
  void add_parts() {
    const auto add_part = [&](const image::Descriptor& descriptor) {
      if (indexes_.contains(descriptor.digest) || absent_.contains(descriptor.digest)) return;
      if (!known_.insert(descriptor.digest).second) return;
      const auto made = contents_->made.find(descriptor.digest);
      made == contents_->made.end() ? merged_.parts.push_back({descriptor, archive_})
                                    : merged_.parts.push_back({descriptor, nullptr, made->second});
    };
    std::for_each(contents_->blobs.begin(), contents_->blobs.end(), add_part);
    std::for_each(contents_->manifests.begin(), contents_->manifests.end(), add_part);
  }

  const image::Archive* archive_ = nullptr;  // the one that is being added, and what is in it
  std::optional<image::Contents> contents_;
  std::set<hash::Digest> absent_;
  std::set<hash::Digest> indexes_;
  std::set<hash::Digest> known_;
  std::map<std::string, std::string> archives_;  // by platform
  Annotations annotations_;
  std::vector<image::Descriptor> entries_;
  Merged merged_{{"", hash::sha256("")}, {}, {}};
};

}  // namespace

Merged merge(const std::vector<std::unique_ptr<image::Archive>>& archives) {
  Merger merger;
  for (const auto& archive : archives)
    merger.add(*archive);
  return merger.finish();
}

}  // namespace oci_merge
