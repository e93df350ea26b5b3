#include "common/sandbox/working_dir.hpp"

#include <sys/stat.h>

#include "common/sandbox/sandbox.hpp"
#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

// With the directories on the way as the kernel walks it, which enters those that a ".." leaves again.
void make_way(sys::RootedDir& root, const std::string& path) {
  sys::RootedPath at;
  for (const auto& component : util::split(path, '/')) {
    if (component.empty() || component == ".") continue;
    if (component == "..") {
      at = at.parent();
      continue;
    }
    const auto next = at.child(component);
    if (const auto followed = root.follow(next.str())) {
      at = *followed;
      continue;
    }
    if (root.status(next))
      throw StartError("cannot make the working directory " + util::quote(path) +
                       ": a symlink leads nowhere");
    root.make_directory(next);
    root.set_mode(next, 0755);
    at = next;
  }
}

}  // namespace

void make_working_dir(sys::RootedDir& root, const std::string& path, const User& user) {
  const auto destination = root.destination(sys::clean_path(path));
  if (!destination)
    throw StartError("cannot make the working directory " + util::quote(path) + ": symlinks go in circles");
  if (destination->is_root()) return;
  sys::RootedPath at;
  for (const auto& component : util::split(destination->str(), '/')) {
    at = at.child(component);
    const auto shown = util::quote("/" + at.str());
    const auto status = root.status(at);
    if (status && !S_ISDIR(status->st_mode))
      throw StartError("cannot make the working directory " + util::quote(path) + ": " + shown +
                       " is a file");
    if (status) continue;
    root.make_directory(at);
    root.set_mode(at, 0755);
    if (const auto error = root.set_owner(at, user.uid, user.gid)) {
      util::throw_errno("cannot set the owner of " + shown, error.value());
    }
  }
  if (path.find("..") != std::string::npos) make_way(root, path);
}

}  // namespace sandbox
