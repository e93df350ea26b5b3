// The walk to a directory that may not be there yet.
#include "common/solver/directories.hpp"

#include "common/sys/path_walk.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {

sys::RootedPath make_directories(CopyTarget& root, const std::string& path, mode_t mode,
                                 const std::optional<sandbox::Owner>& owner) {
  const auto clean = sys::clean_path(path);
  sys::check_length(clean);  // before anything is made
  auto walked = sys::walk_links(clean, most_links, [&](const sys::RootedPath& next, sys::PathWalk& rest) {
    const auto status = root.status(next);
    if (status && S_ISLNK(status->st_mode)) return sys::Met{sys::Met::Kind::symlink, root.target_of(next)};
    if (status && !S_ISDIR(status->st_mode)) {
      const auto below = rest.next();
      throw util::Error(below ? "lstat /" + next.child(*below).str() + ": not a directory"
                              : "mkdir /" + next.str() + ": not a directory");
    }
    if (!status) {
      root.make_directory(next);
      if (owner) set_owner(root, next, *owner);
      root.set_mode(next, mode);
    }
    return sys::Met();
  });
  if (walked.end == sys::WalkedTo::End::too_many_links)
    throw util::Error("too many symlinks in " + util::quote(path));
  return std::move(walked.place);
}

void set_owner(CopyTarget& root, const sys::RootedPath& path, const sandbox::Owner& owner) {
  if (const auto error = root.set_owner(path, owner.uid, owner.gid)) {
    util::throw_errno("cannot set the owner of " + util::quote("/" + path.str()), error.value());
  }
}

}  // namespace solver
