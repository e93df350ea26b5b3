// The images that stages start from or copy from: given on disk, or pulled.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/document/request.hpp"
#include "common/image/archive.hpp"
#include "common/plan/lower.hpp"
#include "common/registry/pull.hpp"
#include "common/registry/settings.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/store/store.hpp"

namespace solver {

// Thread-safe.
class BaseImages : public plan::Images {
public:
  // Borrows all but `settings`. Trees of unpacked images go to `directory`.
  BaseImages(const document::Request& request, registry::Settings settings, store::Store& store,
             std::filesystem::path directory);
  ~BaseImages() override;

  bool is_given(const std::string& familiar) const override;
  std::string config(const image::Reference& reference, const image::Platform& platform) override;

  // Manifest, config and layers of an image; layers need not be here yet.
  const image::Image& image(const std::string& reference, const image::Platform& platform);

  // The image's filesystem as one tree, unpacked once. Pulls what is missing. Throws util::Error.
  std::filesystem::path tree(const std::string& reference, const image::Platform& platform);

  // The bytes of a layer as they are stored, pulled if need be.
  std::filesystem::path blob(const std::string& reference, const image::Platform& platform,
                             const image::Descriptor& layer);

  // What stands in the place of the value of IMAGE_ARG_x in a Dockerfile.
  static std::string reference_for(const document::Preload& preload);

private:
  struct Entry;

  Entry& entry(const std::string& reference, const image::Platform& platform);
  void load(Entry& entry, const std::string& reference, const image::Platform& platform);
  void fetch(Entry& entry);

  std::map<std::string, document::Preload::Layout> given_;  // by familiar name
  store::Store& store_;
  registry::Puller puller_;
  std::filesystem::path directory_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Entry>>
      entries_;  // guarded by mutex_; an entry has a mutex of its own
};

}  // namespace solver
