// An image on its way into an output directory.
#pragma once

#include <filesystem>
#include <optional>

#include "common/document/request.hpp"
#include "common/sys/work_dir.hpp"

namespace engine {

// A temporary file or directory beside the image's final place, which is OUTPUT/image.tar or OUTPUT/image.
// Without commit() it is removed; what a build that was killed left of one is removed by the next.
class PendingImage {
public:
  // Throws Error if nothing can be written to `output`.
  PendingImage(const std::filesystem::path& output, document::OutputFormat format);

  // What is to be written: the file or directory, there already and empty.
  const std::filesystem::path& destination() const;

  // Moves the image to its place, whole, instead of what an earlier build left there in either format, and
  // removes the digests beside it, which are those of another image then.
  // Returns the place. At most once. Throws Error.
  std::filesystem::path commit();

private:
  std::filesystem::path output_;
  std::optional<sys::WorkFile> file_;
  std::optional<sys::WorkDir> directory_;
};

}  // namespace engine
