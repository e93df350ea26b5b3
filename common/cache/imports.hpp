// Caches that other workers have written, as one build reads them.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/cache/entry.hpp"
#include "common/cache/records.hpp"
#include "common/registry/pull.hpp"
#include "common/store/store.hpp"
#include "common/sys/cancellation.hpp"

namespace cache {

// Asked for by the first question, so that a build that has all itself asks nobody. A cache that is not
// there, broken, slow or BuildKit's is one message and no hit. Thread-safe.
class Imports {
public:
  using Tell = std::function<void(const std::string& message)>;

  // `store`, in which all that is fetched comes to lie, lives longer. Throws util::Error if config.json
  // cannot be read.
  Imports(std::vector<Entry> entries, const registry::Settings& settings, store::Store& store, Tell tell,
          sys::Cancellation cancel = {});

  // The first cache that knows says what it is. The blob of a step is not there before fetch(). Throws as
  // sys::Cancellation::check does.
  std::optional<store::Step> find(const hash::Digest& key);
  std::optional<hash::Digest> note(const hash::Digest& key);

  // Brings the blob of a step that find() gave into the store, and gives the step as that is (checked_layer):
  // what it removes no record says. Throws util::Error if it is not what the record says, or if none of the
  // caches that name it has it.
  store::Step fetch(const store::Step& step);

  // For who found out otherwise that a layer is no use.
  void give_up();
  // True once that was called or fetch() has failed: then a build that relied on find() cannot go on with it.
  bool has_failed();

private:
  struct Source {
    Entry entry;
    Records records = {};
    std::map<hash::Digest, image::Descriptor> layers = {};
  };

  void read_all();
  void read(Source& source);
  void read_document(Source& source, const std::string& json);
  void read_artifact(Source& source, const image::Manifest& manifest);
  void read_images(Source& source, const image::Index& index);
  void read_image(Source& source, const image::Manifest& manifest);
  std::string config_of(Source& source, const image::Manifest& manifest, std::uint64_t limit);
  std::string named_document(const Entry& entry, const hash::Digest& digest);
  std::string read_registry(const Entry& entry);
  std::string read_local(const Entry& entry);
  void bring(const store::Blob& blob);
  store::Step check(const store::Step& step);
  void fetch_from(const Source& source, const image::Descriptor& layer);

  store::Store& store_;
  Tell tell_;
  sys::Cancellation cancel_;
  registry::Puller puller_;
  std::once_flag once_;
  std::vector<Source> sources_;  // not changed any more after read_all()
  std::mutex mutex_;
  bool failed_ = false;  // this and what follows is guarded by mutex_
  std::map<std::pair<hash::Digest, hash::Digest>, bool> checked_;  // blob and diff_id: whether it removes
};

}  // namespace cache
