// Putting the bytes of a blob into a file, by the cheapest way there is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/hash/digest.hpp"
#include "common/image/archive.hpp"

namespace image {

// How a blob came to be where it is. Only `copied` costs its size in writes.
enum class Placement {
  linked,      // another name of the same file
  cloned,      // another file that shares its extents
  referenced,  // a symbolic link, where the file lies on another filesystem and is not small
  copied,
};

// What is done where the file that holds a blob lies on another filesystem.
enum class Elsewhere {
  referenced,  // as Placement::referenced: for layouts that do not outlive what they are made of
  copied,
};

// Makes `destination`, which must not exist, hold the blob at `location`, and checks that its bytes have
// `digest`: they are read once. Throws util::Error naming `what`; then nothing is left at `destination`.
Placement place_blob(const Location& location, const hash::Digest& digest,
                     const std::filesystem::path& destination, const std::string& what,
                     Elsewhere elsewhere = Elsewhere::referenced);

}  // namespace image
