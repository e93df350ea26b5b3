// What steps and pulls may know and images may not: secrets, SSH keys, registry logins.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "common/document/request.hpp"
#include "tools/oci-params/environment.hpp"
#include "tools/oci-params/findings.hpp"

namespace params {

// BUILDKIT_SECRET_* (files) and BUILDKIT_SECRETTEXT_* (references to the variables), each sorted by id.
std::vector<document::Secret> read_secrets(const Environment& environment, Findings& findings);

// BUILDKIT_SSH in the order of its entries, then BUILDKIT_SSHTEXT_*. An entry is BuildKit's
// id[=path[,path...]]; entries are separated by newlines, ';', or a comma in front of another id=.
std::vector<document::Ssh> read_ssh(const Environment& environment, Findings& findings);

// DOCKER_CONFIG: a directory, whose config.json must be JSON where there is one.
std::optional<std::filesystem::path> read_docker_config(const Environment& environment);

}  // namespace params
