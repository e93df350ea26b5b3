// Entries of CACHE_FROM and CACHE_TO, in the words of buildctl.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "common/document/attributes.hpp"
#include "common/image/reference.hpp"

namespace document {

enum class CacheDirection { from, to };
enum class CacheType { registry, local, in_image, gha, s3, azblob };

// One entry, checked for what every engine needs; other attributes mean what the engine makes of them.
struct CacheEntry {
  CacheType type = CacheType::registry;
  std::optional<image::Reference> reference;  // of a registry, as it is written
  std::filesystem::path directory;            // of a local one
  Attributes attributes;                      // all, as they are written

  // Throws util::Error that shows no value but those of types and references: others may be secrets.
  static CacheEntry parse(std::string_view text, CacheDirection direction);

  friend bool operator==(const CacheEntry&, const CacheEntry&) = default;
};

// "registry", "inline"
std::string_view to_string(CacheType type);

}  // namespace document
