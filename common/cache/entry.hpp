// What CACHE_FROM and CACHE_TO ask of the native engine.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/document/cache_entry.hpp"
#include "common/hash/digest.hpp"
#include "common/image/reference.hpp"

namespace cache {

using Direction = document::CacheDirection;
using Type = document::CacheType;

// Which layers are written: those of the images alone, or those of every step.
enum class Mode { min, max };

struct Entry {
  Type type = Type::registry;
  std::optional<image::Reference>
      reference;                       // of a registry; its tag is given, "latest" if it is not written
  std::filesystem::path directory;     // of a local one: an OCI layout
  std::string tag = "latest";          // in its index
  std::optional<hash::Digest> digest;  // instead of the tag, where it is read
  Mode mode = Mode::min;
  bool ignore_error =
      true;  // BuildKit's is false: here a cache costs time, never a build, unless it is written

  // "registry.example/app:cache", "directory 'cache'", "the image": for people.
  std::string name() const;
};

// What of an entry is BuildKit's alone: "type=s3", "compression", "oci-mediatypes=false". Nothing if the rest
// is for entry_of.
std::optional<std::string> left_out_of(const document::CacheEntry& entry);

// Throws util::Error for what the engine does not know or cannot do; it shows no value but those of names,
// modes and directories: others may be secrets.
Entry entry_of(const document::CacheEntry& given, Direction direction);

}  // namespace cache
