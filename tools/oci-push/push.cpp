// Blobs side by side, then documents one after the other.
#include "tools/oci-push/push.hpp"

#include <algorithm>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "common/hash/sha256.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/thread.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace oci_push {
namespace {

constexpr std::size_t most_uploads = 4;  // at a time

std::string cannot_push(const Goal& goal) {
  return "cannot push to " + util::quote(goal.text);
}

// A blob that is hashed while it is sent. An upload that goes on after a cut, or begins anew, reads again
// what was hashed already.
class CheckedBlob {
public:
  CheckedBlob(image::Location location, const hash::Digest& digest, std::string what)
      : location_(std::move(location)), digest_(digest), what_(std::move(what)) {}

  // Throws util::Error before the last byte is given if they do not have the digest.
  void read(std::uint64_t offset, std::span<std::byte> buffer) {
    // A registry may have more than it was sent by us.
    while (hashed_ < offset) {
      util::Buffer gap(static_cast<std::size_t>(std::min<std::uint64_t>(offset - hashed_, 256 << 10)));
      fill(hashed_, gap);
      count(hashed_, gap);
    }
    fill(offset, buffer);
    count(offset, buffer);
  }

private:
  void fill(std::uint64_t offset, std::span<std::byte> buffer) const {
    for (std::size_t done = 0; done < buffer.size();) {
      const auto got = sys::read_some_at(location_.fd->get(), buffer.subspan(done),
                                         location_.offset + offset + done, what_);
      if (got == 0) throw util::Error(what_ + " became shorter while it was read");
      done += got;
    }
  }

  void count(std::uint64_t offset, std::span<const std::byte> data) {
    const std::uint64_t end = offset + data.size();
    if (end <= hashed_) return;
    sha_.update(data.subspan(static_cast<std::size_t>(hashed_ - offset)));
    hashed_ = end;
    if (hashed_ < location_.size) return;
    if (const auto found = sha_.finish(); found != digest_)
      throw util::Error(what_ + " is damaged: its digest is " + found.str(), util::Cause::Kind::damaged);
  }

  image::Location location_;
  hash::Digest digest_;
  std::string what_;
  hash::Sha256 sha_;
  std::uint64_t hashed_ = 0;
};

registry::Arrival send(registry::Pusher& pusher, const image::Archive& archive, const image::Descriptor& blob,
                       const Goal& goal, const std::optional<image::Reference>& other,
                       const sys::Cancellation& cancel) {
  const auto what = archive.what() + ": blob " + blob.digest.str();
  auto location = archive.find(blob);
  if (!location) throw util::Error(what + " is missing");
  const auto size = location->size;
  CheckedBlob bytes(std::move(*location), blob.digest, what);
  bool is_told = false;
  const auto read = [&](std::uint64_t offset, std::span<std::byte> buffer) {
    if (!std::exchange(is_told, true))
      util::log::info("sending " + blob.digest.str() + ", " + util::human_size(size));
    bytes.read(offset, buffer);
  };
  return pusher.put_blob(goal.reference, {blob.digest, size}, read, other, cancel);
}

std::vector<std::string> names_of(const std::vector<image::Descriptor>& manifests) {
  std::set<std::string> names;
  for (const auto& manifest : manifests) {
    names.insert(manifest.is_attestation() ? "attestations"
                 : manifest.platform       ? util::escape(manifest.platform->str())
                                           : manifest.digest.str());
  }
  return {names.begin(), names.end()};
}

}  // namespace

void require_pushable(const image::Archive& archive, const image::Contents& contents, const Goal& goal) {
  if (!contents.absent.empty()) {
    throw util::Error(archive.what() + " names more than it holds (" +
                      util::join(names_of(contents.absent), ", ") +
                      "), which no registry takes; push one image of it by --platform");
  }
  if (goal.digest && *goal.digest != contents.root.digest) {
    throw util::Error(archive.what() + " is " + contents.root.digest.str() + ", not the " +
                      goal.digest->str() + " of " + util::quote(goal.text));
  }
}

Sent push(registry::Pusher& pusher, const image::Archive& archive, const image::Contents& contents,
          const Goal& goal, const std::optional<image::Reference>& other) {
  return util::with_context(cannot_push(goal), [&] {
    // The largest first, so that no thread is left with it at the end.
    auto blobs = contents.blobs;
    std::stable_sort(blobs.begin(), blobs.end(),
                     [](const auto& a, const auto& b) { return a.size > b.size; });
    Sent sent;
    std::mutex mutex;
    sys::share_work(blobs.size(), most_uploads, [&](std::size_t number, const sys::Cancellation& cancel) {
      const auto arrival = send(pusher, archive, blobs[number], goal, other, cancel);
      const std::lock_guard lock(mutex);
      ++(arrival == registry::Arrival::uploaded  ? sent.uploaded
         : arrival == registry::Arrival::mounted ? sent.mounted
                                                 : sent.was_there);
      if (arrival == registry::Arrival::uploaded) sent.bytes += blobs[number].size;
    });
    for (const auto& manifest : contents.manifests) {
      auto name = goal.reference;
      if (manifest.digest != contents.root.digest || name.tag.empty()) {
        name.tag.clear();
        name.digest = manifest.digest.str();
      }
      pusher.put_manifest(name, contents.document(archive, manifest), manifest.media_type);
    }
    return sent;
  });
}

}  // namespace oci_push
