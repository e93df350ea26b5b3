// From a manifest to records, and from records to blobs.
#include "common/cache/imports.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/cache/foreign_layer.hpp"
#include "common/cache/layout.hpp"
#include "common/cache/patience.hpp"
#include "common/hash/sha256.hpp"
#include "common/image/members.hpp"
#include "common/stream/source.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace cache {
namespace {

constexpr std::uint64_t most_document_bytes = 8 << 20;

// What BuildKit's own caches have for a config, in a manifest or an index (its cache/remotecache).
constexpr auto buildkit_type = "application/vnd.buildkit.cacheconfig.v0";
// And in the config of an image.
constexpr auto buildkit_field = "\"moby.buildkit.cache.v0\"";

sys::UniqueFd require_file(const store::Folder& folder, const std::string& name) {
  auto file = store::find_file(folder, name);
  if (!file) util::throw_errno("cannot open " + folder.shown(name), ENOENT);
  return file;
}

sys::UniqueFd open_blob(const Entry& entry, const hash::Digest& digest) {
  auto folder = open_directory(entry.directory);
  for (const auto* name : {"blobs", "sha256"}) {
    auto below = store::find_folder(folder, name);
    if (!below) util::throw_errno("cannot open " + folder.shown(name), ENOENT);
    folder = std::move(*below);
  }
  return require_file(folder, digest.hex());
}

std::string local_document(const Entry& entry, const hash::Digest& digest) {
  const auto file = open_blob(entry, digest);
  auto json = sys::read_to_end(file.get(), "its manifest", most_document_bytes);
  if (hash::sha256(json) != digest)
    throw util::Error("its manifest does not have the digest " + digest.str());
  return json;
}

void refuse_buildkit(bool is_buildkit) {
  if (!is_buildkit) return;
  throw util::Error(
      "BuildKit wrote it, which the native engine cannot read; use another name for each engine");
}

bool is_index(const std::string& json) {
  const auto document = util::parse_json(json, "its manifest");
  return document.is_object() && document.contains("manifests");
}

}  // namespace

Imports::Imports(std::vector<Entry> entries, const registry::Settings& settings, store::Store& store,
                 Tell tell, sys::Cancellation cancel)
    : store_(store),
      tell_(std::move(tell)),
      cancel_(std::move(cancel)),
      puller_(with_less_patience(settings), store) {
  for (auto& entry : entries)
    sources_.push_back({.entry = std::move(entry)});
}

void Imports::read_all() {
  std::call_once(once_, [this] {
    for (auto& source : sources_) {
      try {
        read(source);
      } catch (const util::Error& error) {
        if (error.is_cancelled()) throw;
        source.records = {};
        source.layers.clear();
        tell_("no cache from " + source.entry.name() + ": " + error.what());
      }
    }
  });
}

void Imports::read(Source& source) {
  const auto& entry = source.entry;
  read_document(source, entry.type == Type::registry ? read_registry(entry) : read_local(entry));
}

// A cache of its own, an image, or the images of several platforms.
void Imports::read_document(Source& source, const std::string& json) {
  refuse_buildkit(json.find(buildkit_type) != std::string::npos);
  if (is_index(json)) return read_images(source, image::parse_index(json, "its index"));
  const auto manifest = image::parse_manifest(json, "its manifest");
  if (manifest.config.media_type == records_type) return read_artifact(source, manifest);
  if (manifest.config.media_type != image::media_type::oci_config &&
      manifest.config.media_type != image::media_type::docker_config)
    throw util::Error("it is no cache, but has a config of type " + util::quote(manifest.config.media_type));
  read_image(source, manifest);
}

void Imports::read_artifact(Source& source, const image::Manifest& manifest) {
  source.records = parse_records(config_of(source, manifest, most_records_bytes));
  for (const auto& layer : manifest.layers)
    source.layers.emplace(layer.digest, layer);
  // A step whose layer the manifest does not hold is no use.
  std::erase_if(source.records.steps, [&](const auto& one) {
    const auto layer = source.layers.find(one.second.blob.digest);
    return layer == source.layers.end() || layer->second.size != one.second.blob.size;
  });
}

void Imports::read_images(Source& source, const image::Index& index) {
  constexpr std::size_t most_images = 64;
  std::optional<util::Error> failure;
  bool has_any = false;
  for (const auto& one : index.manifests) {
    if (!image::media_type::is_manifest(one.media_type)) continue;
    try {
      if (&one - index.manifests.data() >= static_cast<std::ptrdiff_t>(most_images)) break;
      read_image(source, image::parse_manifest(named_document(source.entry, one.digest), "its manifest"));
      has_any = true;
    } catch (const util::Error& error) {  // of another platform, or no image, such as an attestation
      if (error.is_cancelled()) throw;
      if (!failure) failure = error;
    }
  }
  if (has_any) return;
  throw failure ? *failure : util::Error("it is an index without images");
}

// Whoever copies an image may compress its layers anew: they are what their diff_ids say.
void Imports::read_image(Source& source, const image::Manifest& manifest) {
  const auto config_json = config_of(source, manifest, image::max_document_size);
  const auto records = parse_config_records(config_json);
  if (!records) {
    refuse_buildkit(config_json.find(buildkit_field) != std::string::npos);
    throw util::Error("it is an image without a cache; CACHE_TO of type=inline makes one with it");
  }
  const auto config = image::parse_config(config_json, "its config");
  if (config.diff_ids.size() != manifest.layers.size())
    throw util::Error("it has " + std::to_string(manifest.layers.size()) + " layers and " +
                      std::to_string(config.diff_ids.size()) + " diff_ids");
  for (auto [key, step] : records->steps) {
    const auto diff_id = std::find(config.diff_ids.begin(), config.diff_ids.end(), step.diff_id);
    if (diff_id == config.diff_ids.end()) continue;
    const auto& layer = manifest.layers[static_cast<std::size_t>(diff_id - config.diff_ids.begin())];
    if (!is_layer_type(layer.media_type)) continue;
    step.blob = {layer.digest, layer.size};
    step.media_type = layer.media_type;
    source.records.steps.emplace(key, std::move(step));
    source.layers.emplace(layer.digest, layer);
  }
  source.records.notes.insert(records->notes.begin(), records->notes.end());
}

std::string Imports::config_of(Source& source, const image::Manifest& manifest, std::uint64_t limit) {
  if (manifest.config.size > limit)
    throw util::Error("it has records of " + util::human_size(manifest.config.size));
  fetch_from(source, manifest.config);
  auto config = store_.blobs().read({manifest.config.digest, manifest.config.size});
  if (!config) throw util::Error("its records cannot be kept in the store");
  return std::move(*config);
}

std::string Imports::named_document(const Entry& entry, const hash::Digest& digest) {
  if (entry.type != Type::registry) return local_document(entry, digest);
  auto reference = *entry.reference;
  reference.tag.clear();
  reference.digest = digest.str();
  return puller_.document(reference, cancel_);
}

std::string Imports::read_registry(const Entry& entry) {
  return puller_.document(*entry.reference, cancel_);
}

std::string Imports::read_local(const Entry& entry) {
  const auto index_file = require_file(open_directory(entry.directory), "index.json");
  const auto index =
      image::parse_index(sys::read_to_end(index_file.get(), "its index", most_document_bytes), "its index");
  const auto found =
      std::find_if(index.manifests.begin(), index.manifests.end(), [&](const image::Descriptor& one) {
        if (entry.digest) return one.digest == *entry.digest;
        const auto name = one.annotations.find(image::annotation::ref_name);
        return name != one.annotations.end() && name->second == entry.tag;
      });
  if (found == index.manifests.end())
    throw util::Error("nothing in it is called " +
                      util::quote(entry.digest ? entry.digest->str() : entry.tag));
  return local_document(entry, found->digest);
}

void Imports::fetch_from(const Source& source, const image::Descriptor& layer) {
  if (source.entry.type == Type::registry) return puller_.fetch(*source.entry.reference, layer, cancel_);
  auto download = store_.blobs().download({layer.digest, layer.size}, cancel_);
  if (!download) return;
  const auto input = stream::from_fd(open_blob(source.entry, layer.digest), "a layer");
  download->restart();
  std::array<std::byte, 64 << 10> buffer;
  for (std::size_t count = 0; (count = input->read(buffer)) > 0;) {
    cancel_.check();
    if (count > layer.size - download->offset()) break;
    download->write(std::span(buffer).first(count));
  }
  if (download->offset() != layer.size || !download->finish())
    throw util::Error("its blob " + layer.digest.str() + " is damaged", util::Cause::Kind::damaged);
}

std::optional<store::Step> Imports::find(const hash::Digest& key) {
  read_all();
  for (const auto& source : sources_) {
    const auto found = source.records.steps.find(key);
    if (found != source.records.steps.end()) return found->second;
  }
  return std::nullopt;
}

std::optional<hash::Digest> Imports::note(const hash::Digest& key) {
  read_all();
  for (const auto& source : sources_) {
    const auto found = source.records.notes.find(key);
    if (found != source.records.notes.end()) return found->second;
  }
  return std::nullopt;
}

store::Step Imports::fetch(const store::Step& step) {
  try {
    if (!store_.blobs().has(step.blob, store::Check::digest)) bring(step.blob);
    return check(step);
  } catch (const util::Error& error) {
    if (!error.is_cancelled()) give_up();
    throw;
  }
}

void Imports::bring(const store::Blob& blob) {
  read_all();
  std::string reasons;
  for (const auto& source : sources_) {
    const auto layer = source.layers.find(blob.digest);
    if (layer == source.layers.end() || layer->second.size != blob.size) continue;
    try {
      return fetch_from(source, layer->second);
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;
      reasons += (reasons.empty() ? "" : "; ") + source.entry.name() + ": " + error.what();
    }
  }
  throw util::Error("cannot get the layer " + blob.digest.str() + " of a cache" +
                    (reasons.empty() ? "" : ": " + reasons));
}

// An image whose config names another diff_id than its layer has would be refused by whoever pulls it.
store::Step Imports::check(const store::Step& step) {
  const auto layer = std::pair(step.blob.digest, step.diff_id);
  auto checked = step;
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = checked_.find(layer); known != checked_.end()) {
      checked.removes = known->second;
      return checked;
    }
  }
  auto blob = store_.blobs().open(step.blob);
  if (!blob) throw util::Error("the layer " + step.blob.digest.str() + " of a cache is lost again");
  try {
    checked = checked_layer(step, std::move(blob), cancel_);
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    throw util::Error(
        "the layer " + step.blob.digest.str() + " of a cache is not what its record says: " + error.what(),
        util::Cause::Kind::damaged);
  }
  const std::lock_guard lock(mutex_);
  checked_.emplace(layer, checked.removes);
  return checked;
}

void Imports::give_up() {
  const std::lock_guard lock(mutex_);
  failed_ = true;
}

bool Imports::has_failed() {
  const std::lock_guard lock(mutex_);
  return failed_;
}

}  // namespace cache
