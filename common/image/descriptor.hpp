// The small types that OCI documents are made of (OCI image-spec: descriptor.md, image-index.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/hash/digest.hpp"

namespace image {

// What an image runs on. Empty strings are fields that are not given.
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;

  // "os/architecture[/variant]" or just "architecture"; normalised as containerd does (x86_64 is amd64,
  // aarch64 is arm64, arm64/v8 has no variant, arm is arm/v7). Throws util::Error with an example if it
  // cannot be one.
  static Platform parse(std::string_view text);
  // Of the fields of a JSON document, normalised in the same way; whatever they hold.
  static Platform from_fields(std::string_view os, std::string_view architecture, std::string_view variant);
  // The same of this one, as configs have it: no os is linux.
  Platform normalized() const { return from_fields(os.empty() ? "linux" : os, architecture, variant); }
  // Of this machine.
  static Platform host();

  std::string str()
      const;  // "linux/arm64", "linux/arm/v7"; "unknown" where neither os nor architecture is given

  // What this platform runs, best first, as containerd orders it: itself, then lower variants, then the
  // 32-bit architecture below it.
  std::vector<Platform> runnable() const;

  friend bool operator==(const Platform&, const Platform&) = default;
};

namespace media_type {
inline constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view oci_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view oci_config = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view oci_layer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view oci_layer_gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view oci_layer_zstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view docker_manifest_list =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view docker_config = "application/vnd.docker.container.image.v1+json";

bool is_index(std::string_view type);     // an OCI index or a Docker manifest list
bool is_manifest(std::string_view type);  // an OCI or Docker image manifest
}  // namespace media_type

// A reference to a blob: what it is, how large, and its digest.
struct Descriptor {
  std::string media_type;
  hash::Digest digest;
  std::uint64_t size = 0;
  std::optional<Platform> platform = std::nullopt;
  std::map<std::string, std::string> annotations = {};
  std::string artifact_type = {};

  // True for what describes another image rather than being one: provenance and SBOM manifests, of platform
  // unknown/unknown or annotated as a reference (BuildKit, docs/attestations/attestation-storage.md).
  bool is_attestation() const;
};

namespace annotation {
inline constexpr const char* ref_name = "org.opencontainers.image.ref.name";
inline constexpr const char* created = "org.opencontainers.image.created";
inline constexpr const char* image_name = "io.containerd.image.name";
inline constexpr const char* reference_type = "vnd.docker.reference.type";
}  // namespace annotation

// Where a blob lies in a layout: "blobs/sha256/" and 64 hex digits.
std::string blob_name(const hash::Digest& digest);

// The content of a layout's file "oci-layout".
inline constexpr std::string_view layout_marker = R"({"imageLayoutVersion":"1.0.0"})";

}  // namespace image
