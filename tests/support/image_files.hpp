// Makes images in memory for tests: the named files of an OCI layout or of a docker-save tar.
#pragma once

#include <sys/mman.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "common/hash/sha256.hpp"
#include "common/image/manifest.hpp"
#include "common/sys/fd.hpp"
#include "tests/support/tar_archive.hpp"

namespace test {

using Files = std::map<std::string, std::string>;

inline std::string config_json(const std::string& platform, const std::vector<std::string>& layers) {
  const auto parsed = image::Platform::parse(platform);
  std::string diff_ids;
  for (const auto& layer : layers)
    diff_ids += (diff_ids.empty() ? "\"" : ",\"") + hash::sha256(layer).str() + "\"";
  return R"({"architecture":")" + parsed.architecture + R"(","os":")" + parsed.os + R"(","variant":")" +
         parsed.variant + R"(","config":{"Env":["A=b"]},"rootfs":{"type":"layers","diff_ids":[)" + diff_ids +
         "]}}";
}

inline image::Descriptor add_blob(Files& files, const std::string& content, std::string_view media_type) {
  image::Descriptor descriptor{std::string(media_type), hash::sha256(content), content.size()};
  files["blobs/sha256/" + descriptor.digest.hex()] = content;
  return descriptor;
}

// An image of uncompressed layers.
inline image::Descriptor add_image(Files& files, const std::string& platform,
                                   const std::vector<std::string>& layers) {
  const auto config = add_blob(files, config_json(platform, layers), image::media_type::oci_config);
  image::Manifest manifest{std::string(image::media_type::oci_manifest), config, {}};
  for (const auto& layer : layers)
    manifest.layers.push_back(add_blob(files, layer, image::media_type::oci_layer));
  return add_blob(files, image::to_json(manifest), image::media_type::oci_manifest);
}

// The same with its platform beside the digest, as it stands in an index.
inline image::Descriptor add_image_of_platform(Files& files, const std::string& platform,
                                               const std::vector<std::string>& layers) {
  auto descriptor = add_image(files, platform, layers);
  descriptor.platform = image::Platform::parse(platform);
  return descriptor;
}

inline std::string index_json(const std::vector<image::Descriptor>& manifests) {
  return image::to_json(image::Index{std::string(image::media_type::oci_index), manifests});
}

inline image::Descriptor add_index(Files& files, const std::vector<image::Descriptor>& manifests) {
  return add_blob(files, index_json(manifests), image::media_type::oci_index);
}

inline Files& finish_layout(Files& files, const std::vector<image::Descriptor>& roots) {
  files["oci-layout"] = R"({"imageLayoutVersion":"1.0.0"})";
  files["index.json"] = index_json(roots);
  return files;
}

inline std::string tar_of(const Files& files) {
  std::vector<Member> members;
  for (const auto& [name, content] : files)
    members.push_back({.path = name, .content = content});
  return archive(members);
}

inline void write_files(const std::filesystem::path& directory, const Files& files) {
  for (const auto& [name, content] : files) {
    std::filesystem::create_directories((directory / name).parent_path());
    std::ofstream(directory / name, std::ios::binary) << content;
  }
}

// An open file without a name, positioned at its start.
inline sys::UniqueFd file_with(std::string_view content) {
  sys::UniqueFd fd(::memfd_create("content", MFD_CLOEXEC));
  sys::write_all(fd.get(), content, "content");
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

}  // namespace test
