// Finding and removing mount points.
#include "common/sandbox/mount_points.hpp"

#include <optional>

#include "common/sys/rooted_dir.hpp"
#include "common/util/error.hpp"

namespace sandbox {
namespace {

// Where `path` leads once symlinks are followed; what is missing is taken as written. Nothing where they go
// in circles.
std::optional<std::string> resolved(sys::RootedDir& root, const std::string& path) {
  constexpr int max_symlinks = 255;
  std::string at;
  std::string rest = path;
  for (int symlinks = 0; !rest.empty();) {
    const auto slash = rest.find('/');
    const std::string next = sys::clean_path(at + '/' + rest.substr(0, slash));
    rest.erase(0, slash == std::string::npos ? slash : slash + 1);
    const auto place = root.find(next);
    const auto status = place && !place->is_root() ? root.status(*place) : std::nullopt;
    if (!status || !S_ISLNK(status->st_mode)) {
      at = next;
      continue;
    }
    if (++symlinks > max_symlinks) return std::nullopt;
    const auto target = root.target_of(*place);
    if (target.starts_with('/')) at.clear();
    rest = target + '/' + rest;
  }
  return at;
}

bool exists(sys::RootedDir& root, const std::string& path) {
  const auto place = root.find(path);
  return place && (place->is_root() || root.status(*place));
}

}  // namespace

MountPoints::MountPoints(std::filesystem::path root, const std::vector<std::string>& targets)
    : root_(std::move(root)) {
  auto rooted = sys::RootedDir::open(root_);
  for (const auto& target : targets) {
    for (auto path = resolved(rooted, sys::clean_path(target)).value_or(""); !path.empty();) {
      if (exists(rooted, path)) break;
      missing_.push_back(path);
      const auto slash = path.rfind('/');
      path.resize(slash == std::string::npos ? 0 : slash);
    }
  }
}

void MountPoints::remove() {
  auto rooted = sys::RootedDir::open(root_);
  for (const auto& path : missing_) {
    const auto place = rooted.find(path);
    if (!place || place->is_root() || place->str() != path) continue;
    const auto status = rooted.status(*place);
    if (!status) continue;
    const bool empty = S_ISDIR(status->st_mode) ? rooted.list(*place).empty() : status->st_size == 0;
    if (empty) rooted.remove(*place);
  }
  rooted.settle();
}

}  // namespace sandbox
