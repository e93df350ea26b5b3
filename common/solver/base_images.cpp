// Base images from OCI layouts on disk and from registries.
#include "common/solver/base_images.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "common/layer/unpack.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

// "debian" for "docker.io/library/debian:latest": how contexts are named.
std::string context_name(image::Reference reference) {
  if (reference.tag == "latest" && reference.digest.empty()) reference.tag.clear();
  return reference.familiar();
}

}  // namespace

struct BaseImages::Entry {
  std::mutex mutex;  // of all below
  std::optional<image::Image> image;
  std::unique_ptr<image::Archive> archive;  // of an image on disk
  std::optional<registry::Image> pulled;
  bool fetched = false;
  std::filesystem::path tree;
};

BaseImages::BaseImages(const document::Request& request, registry::Settings settings, store::Store& store,
                       std::filesystem::path directory)
    : store_(store), puller_(std::move(settings), store), directory_(std::move(directory)) {
  for (const auto& preload : request.preloads) {
    if (!preload.layout)
      throw util::Error("the image " + util::quote(preload.name) + " is not laid out: run oci-preload first");
    const auto reference = image::Reference::parse(reference_for(preload));
    if (!reference) throw util::Error(util::quote(preload.name) + " cannot be the name of an image");
    given_.emplace(context_name(*reference), *preload.layout);
  }
}

BaseImages::~BaseImages() = default;

std::string BaseImages::reference_for(const document::Preload& preload) {
  if (preload.role == document::Preload::Role::context) return preload.name;
  // Names of variables may have any case and sign, names of images not; the digest keeps two of them apart.
  std::string name;
  for (const char c : preload.name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  const auto digest = hash::sha256(preload.name);
  return "image-arg.invalid/" + (name.empty() ? "image" : name) + ":" +
         std::string(digest.hex().substr(0, 12));
}

bool BaseImages::is_given(const std::string& familiar) const {
  return given_.count(familiar) > 0;
}

std::string BaseImages::config(const image::Reference& reference, const image::Platform& platform) {
  return image(reference.full(), platform).config_json;
}

BaseImages::Entry& BaseImages::entry(const std::string& reference, const image::Platform& platform) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_[platform.str() + " " + reference];
  if (!entry) entry = std::make_unique<Entry>();
  return *entry;
}

void BaseImages::load(Entry& entry, const std::string& reference, const image::Platform& platform) {
  if (entry.image) return;
  const auto parsed = image::Reference::parse(reference).value();
  if (const auto given = given_.find(context_name(parsed)); given != given_.end()) {
    entry.archive = image::open_layout_entry(given->second.directory, given->second.digest);
    entry.image = entry.archive->image(platform);
    entry.fetched = true;
    return;
  }
  entry.pulled = puller_.resolve(parsed, platform);
  const auto& pulled = *entry.pulled;
  entry.image = image::Image{.manifest = std::nullopt,
                             .config_digest = pulled.manifest.config.digest,
                             .config_json = pulled.config_json,
                             .config = pulled.config,
                             .layers = pulled.manifest.layers};
}

const image::Image& BaseImages::image(const std::string& reference, const image::Platform& platform) {
  auto& found = entry(reference, platform);
  const std::lock_guard lock(found.mutex);
  load(found, reference, platform);
  return *found.image;
}

void BaseImages::fetch(Entry& entry) {
  if (entry.fetched) return;
  puller_.fetch_layers(*entry.pulled, [](const image::Descriptor&, std::uint64_t) {});
  entry.fetched = true;
}

std::filesystem::path BaseImages::tree(const std::string& reference, const image::Platform& platform) {
  auto& found = entry(reference, platform);
  const std::lock_guard lock(found.mutex);
  load(found, reference, platform);
  if (!found.tree.empty()) return found.tree;
  fetch(found);
  const auto tree = directory_ / ("base-" + std::string(found.image->config_digest.hex()));
  if (::mkdir(tree.c_str(), 0755) != 0 || ::chmod(tree.c_str(), 0755) != 0) {
    util::throw_errno("cannot make the directory " + util::quote(tree.string()));
  }
  auto root = sys::RootedDir::open(tree);
  layer::unpack(*found.image,
                [&](const image::Descriptor& layer) -> std::unique_ptr<stream::Source> {
                  if (found.archive) return found.archive->open_blob(layer);
                  auto source = store_.blobs().open({layer.digest, layer.size});
                  if (!source) throw util::Error("the layer " + layer.digest.str() + " is not in the store");
                  return source;
                },
                reference, root, {.root_entry = layer::ApplyOptions::RootEntry::ignore});
  found.tree = tree;
  return tree;
}

std::filesystem::path BaseImages::blob(const std::string& reference, const image::Platform& platform,
                                       const image::Descriptor& layer) {
  auto& found = entry(reference, platform);
  const std::lock_guard lock(found.mutex);
  load(found, reference, platform);
  fetch(found);
  if (found.archive) {
    const auto location = found.archive->find(layer);
    if (!location)
      throw util::Error(found.archive->what() + " does not hold the layer " + layer.digest.str());
    return location->file;
  }
  const auto file = store_.blobs().find({layer.digest, layer.size}, store::Check::size);
  if (!file) throw util::Error("the layer " + layer.digest.str() + " is not in the store");
  return *file;
}

}  // namespace solver
