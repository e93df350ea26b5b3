// Digests of archives, one at a time or all as JSON.
#include "tools/oci-digest/digests.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/util/error.hpp"
#include "common/util/json.hpp"

namespace oci_digest {
namespace {

using nlohmann::ordered_json;

[[noreturn]] void fail_without_manifest(const image::Archive& archive) {
  throw util::Error(
      archive.what() +
      " holds no manifest, as tars of older 'docker save' do, so it has a config digest alone; a "
      "registry's digest exists once the image is pushed, or converted with 'skopeo copy'");
}

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

ordered_json digest_or_null(const std::optional<hash::Digest>& digest) {
  return digest ? ordered_json(digest->str()) : ordered_json(nullptr);
}

std::optional<hash::Digest> manifest_of(const image::Image& image) {
  return image.manifest ? std::optional(image.manifest->digest) : std::nullopt;
}

ordered_json describe(const image::Platform& platform, const image::Image& image) {
  return {{"os", text_or_null(platform.os)},
          {"architecture", text_or_null(platform.architecture)},
          {"variant", text_or_null(platform.variant)},
          {"config", image.config_digest.str()},
          {"manifest", digest_or_null(manifest_of(image))}};
}

// Nothing given and nothing fitting is no error where all platforms are listed anyway.
std::optional<image::Image> chosen_image(const image::Archive& archive,
                                         const std::optional<image::Platform>& platform) {
  const auto platforms = archive.platforms();
  if (!platform && platforms.size() > 1) {
    const auto runnable = image::Platform::host().runnable();
    const bool fits = std::any_of(platforms.begin(), platforms.end(), [&](const image::Platform& candidate) {
      return std::find(runnable.begin(), runnable.end(), candidate) != runnable.end();
    });
    if (!fits) return std::nullopt;
  }
  return archive.image(platform);
}

}  // namespace

hash::Digest config_digest(const image::Archive& archive, const std::optional<image::Platform>& platform) {
  return archive.image(platform).config_digest;
}

hash::Digest manifest_digest(const image::Archive& archive, const std::optional<image::Platform>& platform) {
  const auto image = archive.image(platform);
  if (!image.manifest) fail_without_manifest(archive);
  return image.manifest->digest;
}

hash::Digest index_digest(const image::Archive& archive) {
  if (const auto digest = archive.index_digest()) return *digest;
  if (archive.roots().size() > 1) {
    throw util::Error(archive.what() + " holds " + std::to_string(archive.roots().size()) +
                      " images side by side, so there is no one digest for the whole");
  }
  fail_without_manifest(archive);
}

std::string to_json(const image::Archive& archive, const std::optional<image::Platform>& platform) {
  const auto image = chosen_image(archive, platform);
  auto platforms = ordered_json::array();
  for (const auto& each : archive.platforms())
    platforms.push_back(describe(each, archive.image(each)));
  return util::dump_json(
      ordered_json{{"schema", "oci-build/digest/1"},
                   {"config", digest_or_null(image ? std::optional(image->config_digest) : std::nullopt)},
                   {"manifest", digest_or_null(image ? manifest_of(*image) : std::nullopt)},
                   {"index", digest_or_null(archive.index_digest())},
                   {"platforms", platforms}});
}

}  // namespace oci_digest
