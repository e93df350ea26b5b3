// The walk to a directory that may not be there yet.
#include "common/solver/directories.hpp"

#include "common/solver/path_walk.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {

sys::RootedPath make_directories(CopyTarget& root, const std::string& path, mode_t mode,
                                 const std::optional<sandbox::Owner>& owner) {
  const auto clean = sys::clean_path(path);
  sys::check_length(clean);  // before anything is made
  PathWalk walk(clean);
  sys::RootedPath at;
  while (const auto component = walk.next()) {
    if (*component == "..") {
      at = at.parent();
      continue;
    }
    const auto next = at.child(*component);
    const auto status = root.status(next);
    if (status && S_ISLNK(status->st_mode)) {
      const std::string target = root.target_of(next);
      if (!walk.follow(target)) throw util::Error("too many symlinks in " + util::quote(path));
      if (target.starts_with('/')) at = sys::RootedPath();
      continue;
    }
    if (status && !S_ISDIR(status->st_mode)) {
      const auto below = walk.next();
      throw util::Error(below ? "lstat /" + next.child(*below).str() + ": not a directory"
                              : "mkdir /" + next.str() + ": not a directory");
    }
    if (!status) {
      root.make_directory(next);
      if (owner) set_owner(root, next, *owner);
      root.set_mode(next, mode);
    }
    at = next;
  }
  return at;
}

void set_owner(CopyTarget& root, const sys::RootedPath& path, const sandbox::Owner& owner) {
  if (const auto error = root.set_owner(path, owner.uid, owner.gid)) {
    util::throw_errno("cannot set the owner of " + util::quote("/" + path.str()), error.value());
  }
}

}  // namespace solver
