// To a registry, or to an OCI layout.
#include "common/cache/exports.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <map>

#include "common/cache/layout.hpp"
#include "common/cache/patience.hpp"
#include "common/hash/sha256.hpp"
#include "common/image/manifest.hpp"
#include "common/store/entries.hpp"
#include "common/sys/copy_content.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace cache {
namespace {

namespace fs = std::filesystem;

struct Missing {};  // the layer of a step, with the whole step

void read_at(int fd, std::uint64_t offset, std::span<std::byte> buffer) {
  while (!buffer.empty()) {
    const auto count = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) util::throw_errno("cannot read a layer of the cache");
    if (count == 0) throw util::Error("a layer of the cache became shorter");
    buffer = buffer.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

// Where a cache goes.
class Target {
public:
  virtual ~Target() = default;
  // True if it was sent. Throws Missing.
  virtual bool put_layer(const store::Blob& blob) = 0;
  virtual void put_document(const store::Blob& blob, std::string_view content) = 0;
  virtual void put_manifest(const image::Descriptor& manifest, const std::string& json) = 0;
};

class RegistryTarget : public Target {
public:
  RegistryTarget(const Entry& entry, const registry::Settings& settings, const Open& open,
                 const std::optional<image::Reference>& other, const sys::Cancellation& cancel)
      : reference_(*entry.reference),
        pusher_(with_less_patience(settings)),
        open_(open),
        other_(other),
        cancel_(cancel) {}

  bool put_layer(const store::Blob& blob) override {
    sys::UniqueFd fd;
    const auto read = [&](std::uint64_t offset, std::span<std::byte> buffer) {
      if (!fd) fd = open_(blob);
      if (!fd) throw Missing();
      read_at(fd.get(), offset, buffer);
    };
    return pusher_.put_blob(reference_, blob, read, other_, cancel_) == registry::Arrival::uploaded;
  }

  void put_document(const store::Blob& blob, std::string_view content) override {
    const auto read = [content](std::uint64_t offset, std::span<std::byte> buffer) {
      std::memcpy(buffer.data(), content.data() + offset, buffer.size());
    };
    pusher_.put_blob(reference_, blob, read, {}, cancel_);
  }

  void put_manifest(const image::Descriptor& manifest, const std::string& json) override {
    pusher_.put_manifest(reference_, json, manifest.media_type, cancel_);
  }

private:
  image::Reference reference_;
  registry::Pusher pusher_;
  const Open& open_;
  std::optional<image::Reference> other_;
  sys::Cancellation cancel_;
};

void make_if_missing(const fs::path& directory) {
  if (sys::leads_to_directory(directory)) return;
  try {
    sys::make_directory(directory, 0755);
  } catch (const util::Error&) {  // another build may have made it
    if (!sys::leads_to_directory(directory)) throw;
  }
}

store::Folder made_folder(const store::Folder& parent, const std::string& name) {
  if (::mkdirat(parent.fd(), name.c_str(), 0755) != 0 && errno != EEXIST)
    util::throw_errno("cannot create " + parent.shown(name));
  auto folder = store::find_folder(parent, name);
  if (!folder) throw util::Error("cannot open " + parent.shown(name));
  return std::move(*folder);
}

// Blobs that are there are taken for whole, as each appears by a rename. Other names of the index stay. The
// directory may be one that others write to as well: no link in it is followed.
class LocalTarget : public Target {
public:
  LocalTarget(const Entry& entry, const Open& open, const sys::Cancellation& cancel)
      : root_((make_if_missing(entry.directory), open_directory(entry.directory))),
        blobs_(made_folder(made_folder(root_, "blobs"), "sha256")),
        tag_(entry.tag),
        open_(open),
        cancel_(cancel) {}

  bool put_layer(const store::Blob& blob) override {
    if (has(blob)) return false;
    const auto source = open_(blob);
    if (!source) throw Missing();
    auto made = store::NewEntry::file(root_);
    const auto name = blob.digest.str();
    if (sys::copy_content({source.get(), name}, {made.fd(), blobs_.shown(name)}, blob.size, cancel_) <
        blob.size)
      throw util::Error("a layer of the cache became shorter");
    made.place(blobs_, blob.digest.hex());
    return true;
  }

  void put_document(const store::Blob& blob, std::string_view content) override {
    if (!has(blob)) store::write_entry(blobs_, blob.digest.hex(), content, root_);
  }

  void put_manifest(const image::Descriptor& manifest, const std::string& json) override {
    put_document({manifest.digest, manifest.size}, json);
    auto index = others();
    auto named = manifest;
    named.annotations[image::annotation::ref_name] = tag_;
    index.manifests.push_back(std::move(named));
    store::write_entry(root_, "oci-layout", image::layout_marker, root_);
    store::write_entry(root_, "index.json", image::to_json(index), root_);
  }

private:
  bool has(const store::Blob& blob) const {
    struct stat there = {};
    return ::fstatat(blobs_.fd(), blob.digest.hex().c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(there.st_mode) && static_cast<std::uint64_t>(there.st_size) == blob.size;
  }

  // What else the index names; one that nobody can read names nothing.
  image::Index others() const try {
    const auto file = store::find_file(root_, "index.json");
    if (!file) return no_index();
    auto index = image::parse_index(sys::read_to_end(file.get(), "its index", 8 << 20), "its index");
    std::erase_if(index.manifests, [&](const image::Descriptor& one) {
      const auto name = one.annotations.find(image::annotation::ref_name);
      return name == one.annotations.end() || name->second == tag_;
    });
    return index;
  } catch (const util::Error&) {
    return no_index();
  }

  static image::Index no_index() {
    return {.media_type = std::string(image::media_type::oci_index), .manifests = {}};
  }

  store::Folder root_;
  store::Folder blobs_;
  std::string tag_;
  const Open& open_;
  sys::Cancellation cancel_;
};

Exported write_to(Target& target, Records& records) {
  Exported exported;
  std::map<hash::Digest, bool> arrived;  // by layer
  for (const auto& [key, step] : records.steps) {
    if (arrived.contains(step.blob.digest)) continue;
    try {
      const bool sent = target.put_layer(step.blob);
      arrived[step.blob.digest] = true;
      ++exported.layers;
      if (sent) {
        ++exported.sent;
        exported.sent_bytes += step.blob.size;
      }
    } catch (const Missing&) {
      arrived[step.blob.digest] = false;
    }
  }
  std::erase_if(records.steps, [&](const auto& one) { return !arrived.at(one.second.blob.digest); });
  const auto document = to_json(records);
  target.put_document({hash::sha256(document), document.size()}, document);
  const auto manifest = manifest_of(records, document);
  const auto json = image::to_json(manifest);
  target.put_manifest({.media_type = manifest.media_type, .digest = hash::sha256(json), .size = json.size()},
                      json);
  return exported;
}

}  // namespace

Exported write(const Entry& entry, Records records, const registry::Settings& settings, const Open& open,
               const std::optional<image::Reference>& other, const sys::Cancellation& cancel) {
  if (entry.type == Type::registry) {
    RegistryTarget target(entry, settings, open, other, cancel);
    return write_to(target, records);
  }
  LocalTarget target(entry, open, cancel);
  return write_to(target, records);
}

}  // namespace cache
