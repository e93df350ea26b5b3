// Writes OCI layout directories from images of any form.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "common/image/archive.hpp"
#include "common/image/contents.hpp"

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

  // Adds all that `archive` holds, as contents_of() has it, under the reference name `name`. Every blob is
  // checked. Gives the descriptor of the manifest or index. Throws as contents_of() does, and on any damage.
  Descriptor add(const Archive& archive, const std::string& name);

  // Writes the index of what was added. Throws util::Error. At most once.
  void commit();

  // How many bytes had to be copied so far.
  std::uint64_t copied() const noexcept { return copied_; }

private:
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
