#include "common/sandbox/root_links.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <set>
#include <string_view>
#include <utility>

#include "common/sandbox/process_tree.hpp"
#include "common/sandbox/system_paths.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/error.hpp"

namespace sandbox {
namespace {

sys::RootedDir rooted(const SupervisedRoot& root, sys::RootedDir::Times times) {
  return sys::RootedDir(sys::UniqueFd(::fcntl(root.place, F_DUPFD_CLOEXEC, 3)), times);
}

// The directory of a path as text, and the last component.
std::pair<std::string, std::string> split_last(std::string_view path) {
  while (path.size() > 1 && path.back() == '/')
    path.remove_suffix(1);
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return {"", std::string(path)};
  const auto name = path.substr(slash + 1);
  return {std::string(path.substr(0, slash + 1)), name.empty() ? "." : std::string(name)};
}

sys::UniqueFd open_below(const SupervisedRoot& root, const std::string& link, const std::string& rest) {
  sys::UniqueFd base(::open(link.c_str(), O_PATH | O_CLOEXEC));
  if (!base || rest.empty()) return base;
  // By its name, so that links and ".." below it lead through the root; unless that is another's by now.
  const auto name = place_of_link(root, link);
  struct stat wanted;
  struct stat found;
  const auto named = name.empty() ? sys::UniqueFd() : open_in(root, name);
  if (named && ::fstat(base.get(), &wanted) == 0 && ::fstat(named.get(), &found) == 0 &&
      sys::is_same_file(wanted, found))
    return open_in(root, name + "/" + rest);
  return sys::RootedDir(std::move(base), sys::RootedDir::Times::natural).open_place(rest);
}

}  // namespace

Spot spot_in(const SupervisedRoot& root, const std::string& path) {
  auto [directory, name] = split_last(path);
  return {open_in(root, directory), std::move(name)};
}

sys::UniqueFd open_behind(const SupervisedRoot& root, const SystemPath& path) {
  return open_below(root, path.path, path.rest);
}

Spot spot_behind(const SupervisedRoot& root, const SystemPath& path) {
  auto [directory, name] = split_last(path.rest);
  return {open_below(root, path.path, directory), std::move(name)};
}

std::string place_of_link(const SupervisedRoot& root, const std::string& link) {
  char target[PATH_MAX];
  const ssize_t size = ::readlink(link.c_str(), target, sizeof target);
  if (size <= 0 || target[0] != '/') return {};
  return seen_from(root, {target, static_cast<std::size_t>(size)});
}

sys::UniqueFd open_in(const SupervisedRoot& root, const std::string& path) {
  return rooted(root, sys::RootedDir::Times::natural).open_place(path);
}

std::string system_name_behind(const SupervisedRoot& root, const std::string& path) {
  constexpr int most = 8;
  std::string name = path;
  char target[PATH_MAX];
  for (int i = 0; i < most; ++i) {
    const auto relative = name.find_first_not_of('/');
    if (relative == std::string::npos) break;
    // Directories on the way that are links may lead it out of the root, where nothing but the text of a link
    // is read.
    const ssize_t size = ::readlinkat(root.place, name.c_str() + relative, target, sizeof target);
    if (size <= 0) break;
    const std::string text(target, static_cast<std::size_t>(size));
    name = "/" + sys::clean_path(text.front() == '/' ? text : name.substr(0, name.rfind('/') + 1) + text);
    if (may_be_system_path(name)) return name;
  }
  return {};
}

int list_processes(const SupervisedRoot& root) {
  try {
    auto directory = rooted(root, sys::RootedDir::Times::natural);
    const auto proc = sys::RootedPath().child("proc");
    const auto status = directory.status(proc);
    if (!status || !S_ISDIR(status->st_mode)) return 0;
    std::set<std::string> wanted = {"self", "thread-self"};
    for (const auto& entry : sys::readable_entries_of("/proc")) {
      const auto name = entry.filename().string();
      const int number = number_of(name.c_str());
      if (number >= 0 ? descends_from(number, root.keeper) : !is_hidden_in_proc(name)) wanted.insert(name);
    }
    for (const auto& name : directory.list(proc)) {
      if (wanted.erase(name) == 0) directory.remove(proc.child(name));
    }
    for (const auto& name : wanted) {
      const auto place = proc.child(name);
      const auto real = sys::find_status("/proc/" + name, sys::Links::kept);
      if (!real) continue;
      if (S_ISLNK(real->st_mode)) {
        directory.make_symlink(place, sys::link_target("/proc/" + name).string());
      } else if (S_ISDIR(real->st_mode)) {
        directory.make_directory(place);
        directory.set_mode(place, 0555);
      } else {
        directory.create_file(place);
        directory.set_mode(place, 0444);
      }
    }
    return 0;
  } catch (const util::Error&) {
    return EACCES;
  }
}

int lead_on(const SupervisedRoot& root, const std::string& name, const std::string& place) {
  try {
    auto directory = rooted(root, sys::RootedDir::Times::natural);
    const auto path = directory.find_or_make_parents(name);
    // Links lead it elsewhere, where it is none of ours.
    if (path.is_root() || "/" + path.str() != name) return 0;
    const auto status = directory.status(path);
    if (place.empty()) {
      if (status) return 0;
      directory.make_directory(path);
      directory.set_mode(path, 0755);
      return 0;
    }
    if (status) {
      if (!S_ISLNK(status->st_mode) || directory.target_of(path) == place) return 0;
      directory.remove(path);
    }
    directory.make_symlink(path, place);
    return 0;
  } catch (const util::Error&) {
    return EACCES;
  }
}

}  // namespace sandbox
