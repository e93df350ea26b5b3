// Contexts that are no directories.
#pragma once

#include <filesystem>
#include <string>

namespace document {

// True if Request::context is something that BuildKit fetches: a git repository or an archive. The Dockerfile
// then lies in it.
inline bool is_url(const std::filesystem::path& context) {
  const auto& text = context.native();
  return text.find("://") != std::string::npos || text.starts_with("git@");
}

}  // namespace document
