// Paths whose links are resolved below a directory.
#include "common/sys/bounded_path.hpp"

#include <sys/stat.h>

#include "common/sys/paths.hpp"
#include "common/sys/rooted_dir.hpp"

namespace sys {
namespace {

namespace fs = std::filesystem;

// What of `path` stands below `directory`. Directories are compared by what they are, as one has many names.
// What cannot be looked at is another.
std::optional<fs::path> part_below(const fs::path& directory, const fs::path& path) {
  struct stat wanted {};
  if (::stat(directory.c_str(), &wanted) != 0) return std::nullopt;
  const auto text = absolute_path(path).lexically_normal();
  for (auto above = text; above.has_relative_path();) {
    above = above.parent_path();
    struct stat status {};
    if (::stat(above.c_str(), &status) == 0 && is_same_file(status, wanted))
      return text.lexically_relative(above);
  }
  return std::nullopt;
}

}  // namespace

bool lies_in(const fs::path& directory, const fs::path& path) {
  return part_below(directory, path).has_value();
}

std::optional<fs::path> path_within(const fs::path& directory, const fs::path& path) {
  auto root = directory;
  auto rest = part_below(directory, path);
  if (!rest) {
    root = path.has_parent_path() ? path.parent_path() : fs::path(".");
    rest = path.filename();
  }
  if (!leads_to_directory(root)) return std::nullopt;
  auto bound = RootedDir::open(root, RootedDir::Times::natural);
  const auto found = bound.follow(rest->string());
  if (!found) return std::nullopt;
  return found->str() == clean_path(rest->string()) ? path : root / found->str();
}

}  // namespace sys
