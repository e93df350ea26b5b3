// From entries to caches.
#include "common/native/sharing.hpp"

#include <algorithm>

#include "common/cache/entry.hpp"
#include "common/cache/exports.hpp"
#include "common/engine/preloads.hpp"
#include "common/native/settings.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace native {
namespace {

std::vector<cache::Entry> entries_of(const std::string& parameter,
                                     const std::vector<document::CacheEntry>& given,
                                     cache::Direction direction) {
  std::vector<cache::Entry> entries;
  for (const auto& entry : given)
    entries.push_back(util::with_context(parameter, [&] { return cache::entry_of(entry, direction); }));
  return entries;
}

std::optional<std::string> left_out_of_entries(const std::string& parameter,
                                               const std::vector<document::CacheEntry>& entries) {
  for (const auto& entry : entries) {
    if (const auto what = cache::left_out_of(entry)) return parameter + " with " + *what;
  }
  return std::nullopt;
}

cache::Records only_of(const std::set<hash::Digest>& images, cache::Records records) {
  std::erase_if(records.steps, [&](const auto& one) { return !images.contains(one.second.diff_id); });
  return records;
}

// A repository of the same registry, which may have the layers already.
std::optional<image::Reference> neighbour(const cache::Entry& entry,
                                          const std::vector<cache::Entry>& others) {
  if (!entry.reference) return std::nullopt;
  const auto found = std::find_if(others.begin(), others.end(), [&](const cache::Entry& other) {
    return other.reference && other.reference->domain == entry.reference->domain &&
           other.reference->path != entry.reference->path;
  });
  return found == others.end() ? std::nullopt : found->reference;
}

}  // namespace

std::optional<std::string> left_out_of_sharing(const document::Request& request) {
  if (auto what = left_out_of_entries("CACHE_FROM", request.cache.from)) return what;
  return left_out_of_entries("CACHE_TO", request.cache.to);
}

Sharing sharing_of(const document::Request& request) {
  Sharing sharing{.from = entries_of("CACHE_FROM", request.cache.from, cache::Direction::from),
                  .to = entries_of("CACHE_TO", request.cache.to, cache::Direction::to)};
  sharing.in_images = std::erase_if(sharing.to, [](const cache::Entry& entry) {
                        return entry.type == cache::Type::in_image;
                      }) > 0;
  return sharing;
}

std::string records_for_image(const solver::StepCache& steps, const std::vector<hash::Digest>& diff_ids,
                              std::optional<std::int64_t> epoch) {
  // Of the four that a config may have; all who use the image pull it.
  constexpr std::size_t most_bytes = 1 << 20;
  auto records = only_of({diff_ids.begin(), diff_ids.end()}, steps.used());
  for (auto& [key, step] : records.steps) {
    if (epoch) step.created = {.seconds = *epoch};
  }
  auto json = cache::to_json(records);
  if (json.size() <= most_bytes) return json;
  util::log::warning("CACHE_TO: the image gets no cache, which would be " + util::human_size(json.size()) +
                     " of its config; use type=registry");
  return "";
}

std::unique_ptr<cache::Imports> open_imports(const Sharing& sharing, const document::Request& request,
                                             store::Store& store, const sys::Cancellation& cancel) {
  if (sharing.from.empty()) return nullptr;
  return std::make_unique<cache::Imports>(
      sharing.from, registry_settings(request), store,
      [](const std::string& message) { util::log::warning(message); }, cancel);
}

void export_caches(const Sharing& sharing, const document::Request& request,
                   const std::set<hash::Digest>& images, solver::StepCache& steps, engine::Progress& progress,
                   const sys::Cancellation& cancel) {
  const cache::Open open = [&](const store::Blob& blob) {
    try {
      return steps.open(blob);
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;
      return sys::UniqueFd();
    }
  };
  const auto records = steps.used();
  for (const auto& entry : sharing.to) {
    engine::Progress::Vertex vertex(progress, "exporting cache to " + entry.name());
    vertex.start();
    try {
      const auto done =
          cache::write(entry, entry.mode == cache::Mode::max ? records : only_of(images, records),
                       registry_settings(request), open, neighbour(entry, sharing.from), cancel);
      vertex.note(std::to_string(done.layers) + " layers, " + std::to_string(done.sent) + " of them sent (" +
                  engine::decimal_size(done.sent_bytes) + ")");
      vertex.done();
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;
      const auto message = "the cache is not written to " + entry.name() + ": " + error.what();
      vertex.failed(error.what());
      if (!entry.ignore_error) throw util::Error("CACHE_TO: " + message);
      util::log::warning(message + "; the build goes on, as ignore-error=false does not stand in CACHE_TO");
    }
  }
}

}  // namespace native
