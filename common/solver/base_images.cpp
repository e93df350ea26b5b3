// Base images from OCI layouts on disk and from registries.
#include "common/solver/base_images.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>

#include "common/dockerfile/source.hpp"
#include "common/engine/advice.hpp"
#include "common/engine/preloads.hpp"
#include "common/image/chain.hpp"
#include "common/image/choices.hpp"
#include "common/layer/unpack.hpp"
#include "common/solver/layer_queue.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

constexpr std::size_t most_look_ups = 8;  // at a time

void tell_of(const layer::Losses& losses, engine::Progress::Vertex& vertex) {
  const auto tell = [&](const layer::Loss& loss, const std::string& what) {
    if (loss.count == 0) return;
    vertex.note("without " + std::to_string(loss.count) + " " + what + ", such as " +
                util::quote("/" + loss.example) + ": " + util::escape(loss.reason));
  };
  tell(losses.devices, "device nodes");
  tell(losses.owners, "owners of files");
  tell(losses.xattrs, "extended attributes");
}

std::string familiar(const std::string& reference) {
  return image::Reference::parse(reference).value().familiar();
}

}  // namespace

struct BaseImages::Entry {
  std::mutex mutex;            // of all below
  std::exception_ptr failure;  // of the look-up: what failed once is not asked for again
  std::optional<image::Image> image;
  std::unique_ptr<image::Archive> archive;  // of an image on disk
  std::optional<registry::Image> pulled;
  bool fetched = false;      // or on disk anyway
  std::optional<Tree> tree;  // once it was asked for
};

BaseImages::BaseImages(const document::Request& request, registry::Settings settings, store::Store& store,
                       engine::Progress& progress, const sys::Cancellation& cancel)
    : store_(store),
      puller_(std::move(settings), store, [](const std::string& message) { util::log::warning(message); }),
      progress_(progress),
      canceller_(cancel) {
  for (const auto& given : engine::name_preloads(request.preloads))
    given_.emplace(given.reference, given.layout);
}

BaseImages::~BaseImages() = default;

bool BaseImages::is_given(const std::string& familiar) const {
  return given_.count(familiar) > 0;
}

void BaseImages::announce(const std::vector<plan::BaseImage>& bases) {
  auto pulled = std::make_shared<std::vector<plan::BaseImage>>();
  for (const auto& base : bases) {
    if (!is_given(base.reference.context_name())) pulled->push_back(base);
  }
  if (pulled->size() < 2) return;
  const auto work = [this, pulled, next = std::make_shared<std::atomic<std::size_t>>(0)] {
    for (std::size_t i = (*next)++; i < pulled->size(); i = (*next)++) {
      try {
        image((*pulled)[i].reference.full(), (*pulled)[i].platform);
      } catch (...) {
        // Thrown again to who asks for the image.
      }
    }
  };
  // Where there are no more threads, who asks for an image looks it up.
  for (auto& thread : sys::start_threads(std::min(pulled->size(), most_look_ups), work))
    look_ups_.push_back(std::move(thread));
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

// Its errors do not name the image: who asks for its config says what he calls it.
void BaseImages::load(Entry& entry, const std::string& reference, const image::Platform& platform) {
  if (entry.image) return;
  if (entry.failure) std::rethrow_exception(entry.failure);
  engine::Progress::Vertex vertex(progress_, "[internal] load metadata for " + reference);
  vertex.start();
  try {
    try {
      look_up(entry, image::Reference::parse(reference).value(), platform);
    } catch (const image::NoImageFor& error) {
      throw util::Error(std::string(error.what()) + "; " + engine::platform_advice());
    }
  } catch (const util::Error& error) {
    entry.failure = std::current_exception();
    if (!error.is_cancelled() && !canceller_.cancellation().requested())
      vertex.failed(dockerfile::harmless(error.what()));
    throw;
  }
  vertex.note("resolve " + pinned(entry, image::Reference::parse(reference).value()) + " done");
  vertex.done();
}

void BaseImages::look_up(Entry& entry, const image::Reference& reference, const image::Platform& platform) {
  if (const auto given = given_.find(reference.context_name()); given != given_.end()) {
    entry.archive = image::open_layout_entry(given->second.directory, given->second.digest);
    // As in a registry: an image that is in no index serves every platform, and the plan warns of another
    // one.
    const auto& roots = entry.archive->roots();
    const bool alone = roots.size() == 1 && !image::media_type::is_index(roots.front().media_type);
    entry.image = entry.archive->image(alone ? std::nullopt : std::optional(platform));
    entry.fetched = true;
    return;
  }
  const auto& pulled = entry.pulled.emplace(puller_.resolve(reference, platform, canceller_.cancellation()));
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

std::string BaseImages::pinned(const std::string& reference, const image::Platform& platform) {
  auto& found = entry(reference, platform);
  const std::lock_guard lock(found.mutex);
  load(found, reference, platform);
  return pinned(found, image::Reference::parse(reference).value());
}

std::string BaseImages::pinned(const Entry& entry, image::Reference name) const {
  if (const auto given = given_.find(name.context_name()); given != given_.end()) {
    if (name.tag == "latest") name.tag.clear();  // which nobody wrote
    name.digest = given->second.digest.str();
  } else {
    name.digest = entry.pulled->root.digest.str();
  }
  return name.full();
}

void BaseImages::fetch(Entry& entry, const std::string& reference) {
  if (is_here(entry)) return;
  engine::Progress::Vertex vertex(progress_, "[internal] pull " + reference);
  vertex.start();
  try {
    util::with_context(familiar(reference), [&] {
      puller_.fetch_layers(
          *entry.pulled,
          [&](const image::Descriptor& blob, std::uint64_t done) {
            vertex.transfer(blob.digest.str(), done, blob.size);
          },
          canceller_.cancellation());
    });
  } catch (const util::Error& error) {
    if (!error.is_cancelled() && !canceller_.cancellation().requested())
      vertex.failed(dockerfile::harmless(error.what()));
    throw;
  }
  vertex.done();
  entry.fetched = true;
}

void BaseImages::fetch(const std::string& reference, const image::Platform& platform) {
  auto& found = entry(reference, platform);
  const std::lock_guard lock(found.mutex);
  util::with_context(familiar(reference), [&] { load(found, reference, platform); });
  fetch(found, reference);
}

void BaseImages::look_up(const std::string& reference, const image::Platform& platform) {
  auto& found = entry(reference, platform);
  const std::lock_guard lock(found.mutex);
  util::with_context(familiar(reference), [&] { load(found, reference, platform); });
}

BaseImages::Tree BaseImages::tree(const std::string& reference, const image::Platform& platform,
                                  engine::Progress::Vertex& vertex) {
  auto& found = entry(reference, platform);
  const std::lock_guard lock(found.mutex);
  util::with_context(familiar(reference), [&] { load(found, reference, platform); });
  if (found.tree) return *found.tree;
  try {
    found.tree = unpack(found, reference, vertex);
  } catch (const util::Error& error) {
    if (!error.is_damage() || !drop_damaged_blobs(found)) throw;
    found.tree = unpack(found, reference, vertex);
  }
  return *found.tree;
}

// True if the store held damaged layers of the image, which are gone now.
bool BaseImages::drop_damaged_blobs(Entry& entry) {
  if (entry.archive) return false;
  bool dropped = false;
  for (const auto& layer : entry.image->layers) {
    const store::Blob blob{layer.digest, layer.size};
    if (!store_.blobs().has(blob, store::Check::size)) continue;
    store_.blobs().discard(layer.digest);
    if (!store_.blobs().has(blob, store::Check::size)) dropped = true;
  }
  if (dropped) entry.fetched = false;
  return dropped;
}

// True if no layer has to be pulled.
bool BaseImages::is_here(const Entry& entry) {
  const auto& layers = entry.image->layers;
  return entry.fetched || std::all_of(layers.begin(), layers.end(), [this](const auto& layer) {
           return store_.blobs().has({layer.digest, layer.size}, store::Check::size);
         });
}

BaseImages::Tree BaseImages::unpack(Entry& entry, const std::string& reference,
                                    engine::Progress::Vertex& vertex) {
  auto found = store_.trees().get(
      image::chain_id(entry.image->config.diff_ids),
      is_here(entry) ? store::Bytes::here : store::Bytes::awaited, canceller_.cancellation(),
      [&](const std::filesystem::path& root) { return unpack_into(root, entry, reference, vertex); });
  return {.root = std::move(found.root), .was_there = found.was_there};
}

store::Fidelity BaseImages::unpack_into(const std::filesystem::path& directory, Entry& entry,
                                        const std::string& reference, engine::Progress::Vertex& vertex) {
  const auto& cancel = canceller_.cancellation();
  LayerQueue queue(vertex);
  sys::Thread pull;
  sys::Canceller abandon(cancel);  // what cannot be unpacked is not pulled to its end
  if (!entry.fetched) {
    pull = sys::Thread([&] {
      try {
        util::with_context(familiar(reference), [&] {
          puller_.fetch_layers(
              *entry.pulled,
              [&](const image::Descriptor& blob, std::uint64_t done) { queue.progress(blob, done); },
              abandon.cancellation());
        });
        queue.end(nullptr);
      } catch (...) {
        queue.end(std::current_exception());
      }
    });
  }
  auto root = sys::RootedDir::open(directory);
  const auto report =
      layer::unpack(*entry.image,
                    [&](const image::Descriptor& layer) -> std::unique_ptr<stream::Source> {
                      if (entry.archive) return entry.archive->open_blob(layer);
                      if (!entry.fetched) queue.wait_for(layer.digest);
                      vertex.note("extracting " + layer.digest.str());
                      auto file = store_.blobs().open_file({layer.digest, layer.size}, store::Check::size);
                      if (!file) {
                        throw util::Error("the layer " + layer.digest.str() + " is not in the store",
                                          util::Cause::Kind::damaged);
                      }
                      return stream::from_fd(std::move(file), "blob " + layer.digest.str());
                    },
                    reference, root, {.reading = layer::Reading::overlay, .cancel = cancel});
  if (pull.joinable()) {
    pull.join();
    queue.check();
    entry.fetched = true;
  }
  tell_of(report, vertex);
  return report.is_whole() ? store::Fidelity::whole : store::Fidelity::with_losses;
}

sys::UniqueFd BaseImages::open_blob(const std::string& reference, const image::Platform& platform,
                                    const image::Descriptor& layer) {
  auto& found = entry(reference, platform);
  const std::lock_guard lock(found.mutex);
  util::with_context(familiar(reference), [&] { load(found, reference, platform); });
  if (found.archive) {
    const auto location = found.archive->find(layer);
    if (!location)
      throw util::Error(found.archive->what() + " does not hold the layer " + layer.digest.str());
    return sys::open_readable(location->file);
  }
  const store::Blob blob{layer.digest, layer.size};
  auto file = store_.blobs().open_file(blob, store::Check::size);
  if (!file) {
    fetch(found, reference);
    file = store_.blobs().open_file(blob, store::Check::size);
  }
  if (!file) throw util::Error("the layer " + layer.digest.str() + " is not in the store");
  return file;
}

}  // namespace solver
