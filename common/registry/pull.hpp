// Images from registries into the store: first what they are, later their files, if anybody needs them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/image/choices.hpp"
#include "common/image/manifest.hpp"
#include "common/image/reference.hpp"
#include "common/registry/client.hpp"
#include "common/store/store.hpp"
#include "common/sys/cancellation.hpp"

namespace registry {

// One image of one platform; manifest and config lie in the store.
struct Image {
  image::Reference reference;  // as it was asked for
  store::Blob root;            // the manifest or index that the reference means
  store::Blob manifest_blob;
  image::Manifest manifest;
  std::string config_json;
  image::Config config;
};

// How far one blob is; `done` is its size only once it lies in the store, checked. Called from several
// threads, but never twice at once.
using OnProgress = std::function<void(const image::Descriptor& blob, std::uint64_t done)>;

// Thread-safe. What the store holds is not fetched again: of an image named by digest nothing, of one named
// by tag only the answer to what the tag means now.
class Puller {
public:
  // `store` outlives it. Throws util::Error if config.json cannot be read.
  Puller(Settings settings, store::Store& store, Tell tell = {});

  // `platform` (nothing means the host's) chooses from an index; an image that is none is taken as it is, so
  // compare its config's platform. Throws util::Error with the reason of every endpoint or the platforms
  // there are; it does not name the image, for who asks shows what he was asked for.
  Image resolve(const image::Reference& reference, const std::optional<image::Platform>& platform,
                const sys::Cancellation& cancel = {});

  // Afterwards every layer of `image` is in the store, checked against its digest; several are fetched at a
  // time. Throws util::Error that does not name the image either; what was fetched so far stays.
  void fetch_layers(const Image& image, const OnProgress& on_progress, const sys::Cancellation& cancel = {});

  // The manifest or index that `reference` means now, of an image or of anything else that is kept like one.
  // Throws util::Error as resolve() does.
  std::string document(const image::Reference& reference, const sys::Cancellation& cancel = {});
  // Afterwards the blob of the repository is in the store. Throws util::Error as fetch_layers() does.
  void fetch(const image::Reference& reference, const image::Descriptor& blob,
             const sys::Cancellation& cancel = {});

private:
  struct Document;

  Document root_of(const image::Reference& reference, const sys::Cancellation& cancel);
  std::optional<Document> look_up(const image::Reference& reference, const sys::Cancellation& cancel);
  Document fetch_document(const image::Reference& reference, const std::string& name,
                          const sys::Cancellation& cancel);
  Document document(const image::Reference& reference, const store::Blob& blob,
                    const sys::Cancellation& cancel);
  Document choose(const image::Reference& reference, const Document& index,
                  const std::optional<image::Platform>& platform, const sys::Cancellation& cancel);
  struct Search;
  void search(const image::Reference& reference, const image::Index& index, int depth, Search& search,
              const sys::Cancellation& cancel);
  std::string config_of(const image::Reference& reference, const image::Descriptor& config,
                        const sys::Cancellation& cancel);
  void fetch_blob(const image::Reference& reference, const image::Descriptor& blob,
                  const OnProgress& on_progress, const sys::Cancellation& cancel);

  Client client_;
  store::Store& store_;
};

}  // namespace registry
