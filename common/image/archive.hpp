// An image as it lies on disk: an OCI layout directory, or a tar holding an OCI layout or a docker-save
// image.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/image/manifest.hpp"
#include "common/stream/source.hpp"
#include "common/sys/fd.hpp"

namespace image {

enum class Format {
  oci_layout,      // directory with oci-layout, index.json, blobs/
  oci_archive,     // tar of such a directory, without manifest.json
  docker_archive,  // docker-save tar: manifest.json; with or without an OCI layout beside it
};

// Where the bytes of a blob lie: in a file of its own, or in a range of the archive's file.
struct Location {
  std::shared_ptr<const sys::UniqueFd> fd;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::filesystem::path file;  // holds this blob and nothing else; empty for a range of an archive
};

// One image of one platform. Everything in it is already checked against its digest but the layers, which are
// checked while they are read.
struct Image {
  std::optional<Descriptor> manifest;  // nothing for a docker-save tar that holds no manifest blob
  hash::Digest config_digest;
  std::string config_json;
  Config config;
  std::vector<Descriptor> layers;  // media types by content where the archive names none
};

// An open archive. Reading is by position, so several threads may use one Archive.
class Archive {
public:
  virtual ~Archive() = default;
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  virtual Format format() const = 0;

  // Of the top level, without attestations and without what stands there twice: index.json's entries, or one
  // entry (of its config) per image of a docker-save manifest.json that has no index.
  virtual const std::vector<Descriptor>& roots() const = 0;

  // The digest that a registry would give the whole: that of the index or manifest that index.json points at,
  // if it points at one alone (nothing for a docker-save tar without manifest blobs).
  virtual std::optional<hash::Digest> index_digest() const = 0;

  // Platforms of all images inside, in the order of the index. Images that an index names but the archive
  // does not hold (docker save leaves out other platforms) are not among them.
  virtual std::vector<Platform> platforms() const = 0;

  // The image for `platform`, or the best that it runs; nothing given means: the only one, else the host's.
  // Throws util::Error naming the platforms there are when none fits, and on any damage.
  virtual Image image(const std::optional<Platform>& platform) const = 0;

  // Where the bytes of a blob lie; nothing if the archive does not hold it. Its size is as `descriptor` says;
  // throws util::Error where it is not. The bytes are unchecked.
  virtual std::optional<Location> find(const Descriptor& descriptor) const = 0;

  // The bytes of a blob, unchecked; wrap it in stream::verified. Throws util::Error if the archive does not
  // hold it.
  std::unique_ptr<stream::Source> open_blob(const Descriptor& descriptor) const;

  // A manifest, index or config: whole and checked. Throws util::Error if it is damaged, not there or larger
  // than 4 MiB.
  std::string read_document(const Descriptor& descriptor) const;

  // How errors call the archive.
  const std::string& what() const { return what_; }

protected:
  explicit Archive(std::string what) : what_(std::move(what)) {}

private:
  std::string what_;
};

// Opens what `path` is, told by content and never by name; a tar may be compressed as a whole. Throws
// util::Error naming `path` and what was expected.
std::unique_ptr<Archive> open(const std::filesystem::path& path);

// One entry of the index of an OCI layout directory that oci-preload made, as if it were the only one. Its
// blobs may be symlinks to where they lie. Throws util::Error naming `directory`.
std::unique_ptr<Archive> open_layout_entry(const std::filesystem::path& directory,
                                           const hash::Digest& digest);

// As open(path), for a tar on a descriptor (stdin). What cannot seek, or is compressed as a whole, is first
// copied to an unlinked temporary file.
std::unique_ptr<Archive> open(sys::UniqueFd fd, const std::string& what);

// What a tool's IMAGE argument means: a path, or "-" for a tar on stdin.
std::unique_ptr<Archive> open_argument(const std::filesystem::path& argument);

// The same in the words of a --help.
inline constexpr auto argument_help =
    "tar of docker save, OCI archive, OCI layout directory (:TAG for one of several), or - for a tar on "
    "stdin";

}  // namespace image
