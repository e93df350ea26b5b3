// The named files that an image archive consists of: those of a directory, or the members of a tar.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "common/image/archive.hpp"
#include "common/sys/fd.hpp"

namespace image {

class Members {
public:
  virtual ~Members() = default;

  // The regular file `name`, a relative path without "." and "..". Nothing if there is none. Throws
  // util::Error if it is something else, or if it could be one of two.
  virtual std::optional<Location> find(const std::string& name) const = 0;
};

enum class FileLinks { refused, followed };

// Those of a directory. Symlinks to directories are never followed, those to files only where the directory
// is ours (see place_blob).
std::unique_ptr<Members> directory_members(const std::filesystem::path& path,
                                           FileLinks links = FileLinks::refused);

// Those of a tar in a file that can seek: its headers are read here, its content later. Links within the tar
// are followed. `what` names it in errors. Throws util::Error if it is no tar, damaged, or has more than
// 100,000 members.
std::unique_ptr<Members> tar_members(sys::UniqueFd fd, const std::string& what);

// The documents of an archive are limited to this many bytes each.
inline constexpr std::uint64_t max_document_size = 4 << 20;

// The end of messages about what is no image.
inline constexpr const char* expected_images =
    "expected a tar of 'docker save', an OCI archive or an OCI layout directory";

// Reads a document that has no digest to be checked against.
std::string read_unchecked(const Location& location, const std::string& what);

}  // namespace image
