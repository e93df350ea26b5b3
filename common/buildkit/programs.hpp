// The programs that make up BuildKit: looked up beside our own, then on PATH.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/document/request.hpp"

namespace buildkit {

// These throw util::Error naming what is missing and the way out.
std::filesystem::path find_part(const std::string& name);
std::filesystem::path find_runtime();  // runc, under whichever name BuildKit's image gives it
std::filesystem::path find_rootlesskit();

// Why BuildKit cannot build `request` on this machine; nothing if it can, as far as that shows without
// starting it: its programs are there, and it may mount. With a remote engine only the client is needed.
std::optional<std::string> obstacle(const document::Request& request);

}  // namespace buildkit
