// Writes OCI layout directories from images of any form.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "common/image/archive.hpp"

namespace image {

// One layout that any number of images are added to; a blob that several of them share is there once.
class LayoutWriter {
public:
  // Makes `directory`, which must not exist; its parent must. Throws util::Error.
  explicit LayoutWriter(std::filesystem::path directory);
  LayoutWriter(const LayoutWriter&) = delete;
  LayoutWriter& operator=(const LayoutWriter&) = delete;
  // Removes the directory, unless commit() was called.
  ~LayoutWriter();

  // Adds all that `archive` holds under the reference name `name`: the one manifest or index it has, or an
  // index made of its images where there are several. A manifest is made where there is none; configs and
  // layers stay the bytes they are. Every blob is checked. Gives the descriptor of the manifest or index.
  // Throws util::Error if two images for the same platform stand side by side, and on any damage.
  Descriptor add(const Archive& archive, const std::string& name);

  // Writes the index of what was added. Throws util::Error. At most once.
  void commit();

  // How many bytes had to be copied so far.
  std::uint64_t copied() const noexcept { return copied_; }

private:
  Descriptor add_root(const Archive& archive, const Descriptor& root, std::vector<Descriptor>& blobs);
  void collect(const Archive& archive, const Descriptor& descriptor, std::vector<Descriptor>& blobs);
  void collect_manifest(const Archive& archive, const Descriptor& descriptor, std::vector<Descriptor>& blobs);
  bool take(const Archive& archive, const Descriptor& descriptor, std::vector<Descriptor>& blobs);
  void need(const Archive& archive, const Descriptor& descriptor, std::vector<Descriptor>& blobs);
  Descriptor convert(const Archive& archive, const std::optional<Platform>& platform,
                     std::vector<Descriptor>& blobs);
  Descriptor write_document(const std::string& json, std::string_view media_type);
  void place(const Archive& archive, std::vector<Descriptor> blobs);
  std::uint64_t place(const Archive& archive, const Descriptor& blob) const;
  std::filesystem::path path_of(const hash::Digest& digest) const;

  std::filesystem::path directory_;
  std::vector<Descriptor> entries_;
  std::set<hash::Digest> known_;
  std::uint64_t copied_ = 0;
  bool committed_ = false;
};

}  // namespace image
