// Build contexts in git repositories and behind URLs.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "common/engine/progress.hpp"
#include "common/plan/op.hpp"
#include "common/solver/workshop.hpp"
#include "common/store/entries.hpp"

namespace solver {

// A download is an archive, of a form that ADD unpacks, or the Dockerfile itself.
using ContextSource = std::variant<plan::Git, plan::Http>;

struct RemoteContext {
  plan::Fetched files;
  bool is_one_file = false;  // the download was no archive, and is the one file here
  bool was_there = false;    // in the store
  std::shared_ptr<const store::Folder> held = nullptr;  // keeps `files.directory` what it is
};

// Gets a context as an ADD of `source` would, with the credentials of the build and out of its cache. What
// git says goes to `vertex`. Throws util::Error in BuildKit's words, and as sys::Cancellation::check does.
RemoteContext fetch_context(const ContextSource& source, Workshop& workshop,
                            engine::Progress::Vertex& vertex);

// The text of the file at `path` in the directory, symlinks followed inside of it; nothing if no file is
// there. Throws util::Error.
std::optional<std::string> read_within(const std::filesystem::path& directory, const std::string& path);

}  // namespace solver
