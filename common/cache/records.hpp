// Steps as workers tell each other of them: an OCI manifest whose config is a document of our own
// (records.schema.json), and whose layers are those that the steps made.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/hash/digest.hpp"
#include "common/image/manifest.hpp"
#include "common/store/steps.hpp"

namespace cache {

// The media type of the document, by which the whole is known for what it is.
inline constexpr std::string_view records_type = "application/vnd.oci-build.cache.v1+json";

inline constexpr std::uint64_t most_records_bytes = 32 << 20;

struct Records {
  std::map<hash::Digest, store::Step> steps;   // by the key of their parts
  std::map<hash::Digest, hash::Digest> notes;  // as the store has them

  friend bool operator==(const Records&, const Records&) = default;
};

// Compact JSON in an order that depends on nothing else, so that equal records have equal digests.
std::string to_json(const Records& records);

// Foreign input. Throws util::Error for anything but a document of this schema: also where a key is not that
// of its parts, and where there is more than a build can have.
Records parse_records(std::string_view json);

// What the config of an image holds of them where CACHE_TO asked for type=inline: a field of this name beside
// those of the image-spec, with the document as its value. Nothing if there is none; throws as
// parse_records().
inline constexpr std::string_view config_field = "oci-build.cache.v1";
std::optional<Records> parse_config_records(std::string_view config_json);

// True for the media types that layers of steps may have.
bool is_layer_type(const std::string& media_type);

// The manifest of `records`, whose document is `json`; each layer is there once.
image::Manifest manifest_of(const Records& records, std::string_view json);

}  // namespace cache
