// Blobs and manifests to registries: only what a repository does not have is sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/hash/digest.hpp"
#include "common/image/reference.hpp"
#include "common/registry/client.hpp"
#include "common/store/blobs.hpp"
#include "common/sys/cancellation.hpp"

namespace registry {

// How a blob came to be in a repository.
enum class Arrival { was_there, mounted, uploaded };

// Thread-safe. Pushes go to the registry itself, never to a mirror, with the same trust, proxies, patience
// and logins as pulls. What it throws does not name the repository, for who asks shows what he was asked for.
class Pusher {
public:
  // Throws util::Error if config.json cannot be read.
  explicit Pusher(Settings settings, Tell tell = {});

  // Fills `buffer` with the blob's bytes from number `offset` on.
  using Read = std::function<void(std::uint64_t offset, std::span<std::byte> buffer)>;

  // Afterwards the repository of `reference` has `blob`. It is taken from the repository `other` where that
  // is one of the same registry that has it (a mount; another registry's is no use), else what `read` gives
  // is uploaded; an upload that is cut goes on where the registry has it
  // from, or begins anew where that has forgotten it. Throws util::Error with every
  // endpoint's reason.
  Arrival put_blob(const image::Reference& reference, const store::Blob& blob, const Read& read,
                   const std::optional<image::Reference>& other = {}, const sys::Cancellation& cancel = {});

  // Makes `reference`, its tag ("latest" if it has none) or digest, mean the document `json` of that media
  // type, whose blobs are all there. Throws util::Error too if the registry says it took other bytes.
  void put_manifest(const image::Reference& reference, std::string_view json, const std::string& type,
                    const sys::Cancellation& cancel = {});

private:
  bool has(const Endpoint& endpoint, bool is_last, const image::Reference& reference, const store::Blob& blob,
           const sys::Cancellation& cancel);
  std::optional<http::Url> begin(const Endpoint& endpoint, bool is_last, const image::Reference& reference,
                                 const store::Blob& blob, const std::string& mounted_from,
                                 const sys::Cancellation& cancel);
  void upload(const Endpoint& endpoint, bool is_last, const image::Reference& reference,
              const store::Blob& blob, const http::Url& location, const Read& read, bool& was_cut,
              const sys::Cancellation& cancel);

  Client client_;
};

}  // namespace registry
