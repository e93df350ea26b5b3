// Blobs by digest: base images' layers, configs and manifests, and the layers of builds.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "common/hash/digest.hpp"
#include "common/hash/sha256.hpp"
#include "common/store/entries.hpp"
#include "common/store/spill.hpp"
#include "common/store/warn.hpp"
#include "common/stream/source.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/copy_content.hpp"
#include "common/sys/fd.hpp"

namespace store {

struct Blob {
  hash::Digest digest;
  std::uint64_t size = 0;

  friend bool operator==(const Blob&, const Blob&) = default;
};

// How much a blob is trusted for having its name.
enum class Check {
  size,    // enough for one that is verified while it is read
  digest,  // read through, once per process, unless an earlier build has done so (blob_seal.hpp)
};

class Download;
class NewBlob;

// A damaged blob (wrong size, wrong digest) is removed, warned of, and then not there.
class Blobs {
public:
  // Both folders live longer, and are on one filesystem.
  Blobs(const Folder& folder, const Folder& partial, Warn warn, Spill& spill);

  // The file that holds `blob`, open for reading: to be read, linked or reflinked but never changed. Counts
  // as a use. Empty if it is not there.
  sys::UniqueFd open_file(const Blob& blob, Check check);

  // The same for who does not want it now.
  bool has(const Blob& blob, Check check) { return bool(open_file(blob, check)); }

  // True if has() with Check::digest need not read the bytes, as things stand.
  bool is_sealed(const Blob& blob);

  // The content of a document, checked. Nothing if it is not there or larger than 64 MiB.
  std::optional<std::string> read(const Blob& blob);

  // A source that is verified as it is read (stream::verified): it throws at the end of a damaged blob, which
  // the caller then discards. Null if the blob is not there.
  std::unique_ptr<stream::Source> open(const Blob& blob);

  // Stores bytes that are in memory; they are hashed here. Throws util::Error.
  Blob put(std::string_view content);

  // True if it was found to be damaged since this store was opened.
  bool was_damaged(const hash::Digest& digest) const;

  // For who found damage that open_file() cannot see: removes the blob unless its bytes are right after all.
  void discard(const hash::Digest& digest);

  // The right to fetch `blob`. Nothing if it is there. While another thread or process fetches it, waits for
  // the outcome; `cancel` ends the wait. Throws util::Error.
  std::optional<Download> download(const Blob& blob, const sys::Cancellation& cancel = {});

  // A blob to be written by who hashes it meanwhile. Throws util::Error.
  NewBlob create();

private:
  friend class Download;
  friend class NewBlob;

  sys::UniqueFd open_here(const Blob& blob, Check check);
  bool has_right_bytes(const hash::Digest& digest, int fd, const struct stat& there);
  bool is_verified(const hash::Digest& digest) const;
  void remember_verified(const hash::Digest& digest);
  void remove_damaged(const hash::Digest& digest, const std::string& reason);

  const Folder& folder_;
  const Folder& partial_;
  Warn warn_;
  Spill& spill_;
  mutable std::mutex mutex_;
  std::set<hash::Digest> verified_;
  std::set<hash::Digest> damaged_;
};

// A blob that is being fetched; nobody else fetches it meanwhile. Without finish() its bytes stay for the
// next one who tries, also after a kill. Outlived by the Blobs it is from.
class Download {
public:
  Download(Download&&) noexcept = default;
  Download& operator=(Download&&) = delete;
  ~Download();

  // Bytes that are there: what comes next is byte number offset(). At most the blob's size.
  std::uint64_t offset() const noexcept { return offset_; }

  // At most as many bytes as are missing. Where they cannot be written the download moves to where the store
  // spills. Throws util::Error where that fails too.
  void write(std::span<const std::byte> data);

  // Begins anew: offset() is 0.
  void restart();

  // With all bytes there: puts the blob in its place if they have the digest, else restarts and gives false.
  // Throws util::Error. Nothing may follow success.
  [[nodiscard]] bool finish();

private:
  friend class Blobs;
  Download(Blobs& blobs, Blob blob, sys::UniqueFd fd);

  void write_here(std::span<const std::byte> data);
  void spill(const util::Error& reason, std::uint64_t size);

  Blobs* blobs_;
  Blob blob_;
  bool is_there_ = false;  // another one fetched it where the store spills; all that comes is for nothing
  sys::UniqueFd fd_;
  hash::Sha256 sha_;
  std::uint64_t offset_ = 0;
};

// Removed again without commit(). Outlived by the Blobs it is from.
class NewBlob {
public:
  // Empty, open for writing.
  sys::NamedFile file() const { return {file_.fd(), file_.shown()}; }

  // Puts the blob in its place; `blob` is what was written. Throws util::Error. At most once, and nothing may
  // follow.
  void commit(const Blob& blob);

private:
  friend class Blobs;
  explicit NewBlob(Blobs& blobs) : blobs_(&blobs), file_(NewEntry::file(blobs.partial_)) {}

  Blobs* blobs_;
  NewEntry file_;
};

}  // namespace store
