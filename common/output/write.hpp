// Writes finished images to disk.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/output/assemble.hpp"

namespace output {

// What becomes of the files of layers that this build made. Those given up are emptied while they are copied:
// the copy then takes no more memory than they did, and what was not yet written to disk never is.
enum class OwnLayers { kept, given_up };

// One tar that `docker load` takes and that is an OCI archive as well, written to `path`, which must be empty
// or not exist. `created` is RFC 3339; `repo_tags` are the names that the image gets. Throws util::Error;
// then what was written stays.
void write_docker_archive(const Image& image, const std::string& created, const std::filesystem::path& path,
                          OwnLayers own_layers = OwnLayers::kept,
                          const std::vector<image::Reference>& repo_tags = {});

// What a layout is of: its one image, or an index of all.
enum class Root { manifest, index };

// An OCI layout directory, whose image is called "latest" unless it has `repo_tags`; where something is said
// of images its root is an index anyway. Written to `directory`, which must be empty or not exist; everyone
// may read it. Blobs are hard-linked where the filesystem allows. Throws util::Error; then what was written
// stays.
void write_oci_layout(const std::vector<Image>& images, const std::string& created,
                      const std::filesystem::path& directory, Root kind = Root::manifest,
                      const std::vector<image::Reference>& repo_tags = {});

}  // namespace output
