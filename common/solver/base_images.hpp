// The images that stages start from or copy from: given on disk, or pulled.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/document/request.hpp"
#include "common/engine/progress.hpp"
#include "common/image/archive.hpp"
#include "common/plan/lower.hpp"
#include "common/registry/pull.hpp"
#include "common/registry/settings.hpp"
#include "common/store/store.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/thread.hpp"

namespace solver {

// Nothing is fetched or unpacked before it is asked for, nor what the store holds already: the metadata of an
// image, its layers as blobs and its files are three different things to ask for. Thread-safe.
class BaseImages : public plan::Images {
public:
  // Borrows all but `settings`. All pulling and unpacking ends with the images, and when `cancel` says so.
  BaseImages(const document::Request& request, registry::Settings settings, store::Store& store,
             engine::Progress& progress, const sys::Cancellation& cancel);
  ~BaseImages() override;

  bool is_given(const std::string& familiar) const override;
  void announce(const std::vector<plan::BaseImage>& bases) override;
  std::string config(const image::Reference& reference, const image::Platform& platform) override;

  // Manifest, config and layers of an image; layers need not be here yet.
  const image::Image& image(const std::string& reference, const image::Platform& platform);

  // The name of the image with the digest of what the name means now.
  std::string pinned(const std::string& reference, const image::Platform& platform);

  struct Tree {
    std::filesystem::path root;
    bool was_there = false;  // before anybody asked in this build
  };

  // Looks an image up that was not yet, for those whose own work begins after that. Throws util::Error naming
  // it.
  void look_up(const std::string& reference, const image::Platform& platform);

  // The image's filesystem as one tree of the store, to be read only. Pulls and unpacks what is missing, each
  // layer as soon as it is there, and tells `vertex`. Throws util::Error.
  Tree tree(const std::string& reference, const image::Platform& platform, engine::Progress::Vertex& vertex);

  // Brings the layers as blobs: what an exported image needs of its base even if no step reads files of it.
  void fetch(const std::string& reference, const image::Platform& platform);

  // The bytes of a layer as they are stored, pulled if need be.
  sys::UniqueFd open_blob(const std::string& reference, const image::Platform& platform,
                          const image::Descriptor& layer);

private:
  struct Entry;

  Entry& entry(const std::string& reference, const image::Platform& platform);
  std::string pinned(const Entry& entry, image::Reference name) const;
  void load(Entry& entry, const std::string& reference, const image::Platform& platform);
  void look_up(Entry& entry, const image::Reference& reference, const image::Platform& platform);
  void fetch(Entry& entry, const std::string& reference);
  bool drop_damaged_blobs(Entry& entry);
  bool is_here(const Entry& entry);
  Tree unpack(Entry& entry, const std::string& reference, engine::Progress::Vertex& vertex);
  store::Fidelity unpack_into(const std::filesystem::path& root, Entry& entry, const std::string& reference,
                              engine::Progress::Vertex& vertex);

  std::map<std::string, document::Preload::Layout> given_;  // by familiar name
  store::Store& store_;
  registry::Puller puller_;
  engine::Progress& progress_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Entry>>
      entries_;                        // guarded by mutex_; an entry has a mutex of its own
  std::vector<sys::Thread> look_ups_;  // they use the others
  sys::Canceller canceller_;
};

}  // namespace solver
