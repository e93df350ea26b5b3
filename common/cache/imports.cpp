// From a manifest to records, and from records to blobs.
#include "common/cache/imports.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/cache/foreign_layer.hpp"
#include "common/cache/layout.hpp"
#include "common/hash/sha256.hpp"
#include "common/stream/source.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace cache {
namespace {

constexpr std::uint64_t most_document_bytes = 8 << 20;

// What BuildKit's own caches have for a config, in a manifest or an index (its cache/remotecache).
constexpr auto buildkit_type = "application/vnd.buildkit.cacheconfig.v0";

// Nobody waits long for what only saves time.
registry::Settings with_less_patience(registry::Settings settings) {
  settings.retry.attempts = std::min(settings.retry.attempts, 3);
  settings.retry.longest_retry_after = std::min(settings.retry.longest_retry_after, std::chrono::seconds(5));
  settings.timeouts.connect = std::min(settings.timeouts.connect, std::chrono::milliseconds(5'000));
  settings.timeouts.head = std::min(settings.timeouts.head, std::chrono::milliseconds(20'000));
  settings.timeouts.document = std::min(settings.timeouts.document, std::chrono::milliseconds(60'000));
  settings.timeouts.stall = std::min(settings.timeouts.stall, std::chrono::milliseconds(20'000));
  return settings;
}

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
  return require_file(folder, std::string(digest.hex()));
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
  const auto json = entry.type == Type::registry ? read_registry(entry) : read_local(entry);
  if (json.find(buildkit_type) != std::string::npos)
    throw util::Error(
        "BuildKit wrote it, which the native engine cannot read; use another name for each engine");
  const auto manifest = image::parse_manifest(json, "its manifest");
  if (manifest.config.media_type != records_type)
    throw util::Error("it is no cache, but has a config of type " + util::quote(manifest.config.media_type));
  if (manifest.config.size > most_records_bytes)
    throw util::Error("it has records of " + util::human_size(manifest.config.size));
  fetch_from(source, manifest.config);
  const auto records = store_.blobs().read({manifest.config.digest, manifest.config.size});
  if (!records) throw util::Error("its records cannot be kept in the store");
  source.records = parse_records(*records);
  for (const auto& layer : manifest.layers)
    source.layers.emplace(layer.digest, layer);
  // A step whose layer the manifest does not hold is no use.
  std::erase_if(source.records.steps, [&](const auto& one) {
    const auto layer = source.layers.find(one.second.blob.digest);
    return layer == source.layers.end() || layer->second.size != one.second.blob.size;
  });
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
  const auto file = open_blob(entry, found->digest);
  auto json = sys::read_to_end(file.get(), "its manifest", most_document_bytes);
  if (hash::sha256(json) != found->digest)
    throw util::Error("its manifest does not have the digest " + found->digest.str());
  return json;
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
