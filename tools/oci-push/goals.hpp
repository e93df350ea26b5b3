// Where an image is pushed to, and how the registries there are reached.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/image/reference.hpp"
#include "common/registry/settings.hpp"

namespace oci_push {

// One REFERENCE argument.
struct Goal {
  std::string text;                         // as it was written, without a digest
  image::Reference reference;               // with a tag, unless there is a digest alone; without a digest
  std::optional<hash::Digest> digest = {};  // what the image must have
};

// Throws util::Error (wrong usage) for what is no name of an image.
Goal parse_goal(const std::string& text);

// What the options say of every registry that is pushed to.
struct Reach {
  std::vector<std::filesystem::path> ca = {};  // PEM files
  bool plain_http = false;
  bool insecure = false;
};

// `docker_config` is the directory of the logins. Throws util::Error.
registry::Settings settings_for(const std::vector<Goal>& goals, const Reach& reach,
                                const std::optional<std::filesystem::path>& docker_config);

// DOCKER_CONFIG, else ~/.docker as the docker client has it. Throws util::Error where DOCKER_CONFIG names no
// directory.
std::optional<std::filesystem::path> docker_config_directory();

}  // namespace oci_push
