// Contexts that are no directories.
#pragma once

#include <filesystem>
#include <string>

namespace document {

// True if Request::context is something that is fetched: a git repository or a file. The Dockerfile then lies
// in it.
inline bool is_url(const std::filesystem::path& context) {
  const auto& text = context.native();
  return text.find("://") != std::string::npos || text.starts_with("git@");
}

}  // namespace document
