#include "common/sandbox/root_links.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
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

// Empty, with errno, for what is none.
std::string text_of_link(const SupervisedRoot& root, const char* path) {
  char target[PATH_MAX];
  const ssize_t size = ::readlinkat(root.place, path, target, sizeof target);
  return size > 0 ? std::string(target, static_cast<std::size_t>(size)) : std::string();
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

// One look tells whether a link stands on the way by now, whoever has made it: then it leads to another
// directory. Absolute links lead out of the root here, and so to another one as well.
const std::string* LinkWalk::remembered(const std::string& directory) {
  const auto known = directories_.find(directory);
  if (known == directories_.end()) return nullptr;
  struct stat status;
  if (::fstatat(root_.place, directory.c_str() + 1, &status, 0) == 0 &&
      sys::is_same_file(status, known->second.status))
    return &known->second.name;
  directories_.erase(known);
  return nullptr;
}

// Prefix by prefix: the kernel would follow an absolute link on the way out of the root.
const std::string* LinkWalk::real_directory(const std::string& directory) {
  constexpr int most_links = 8;
  constexpr std::size_t most_known = 4096;
  if (const auto* const known = remembered(directory)) return known;
  std::string name = directory;
  int links = 0;
  for (std::size_t end = 1; end < name.size() && !is_in_system(name);) {
    end = std::min(name.find('/', end + 1), name.size());
    auto text = text_of_link(root_, name.substr(1, end - 1).c_str());
    if (text.empty()) {
      if (errno != EINVAL) return nullptr;  // there is nothing, or nothing to be seen
      continue;
    }
    if (++links > most_links) return nullptr;
    if (text.front() != '/') text.insert(0, name, 0, name.rfind('/', end - 1) + 1);
    name = "/" + sys::clean_path(text + name.substr(end));
    end = 1;
  }
  struct stat asked;
  struct stat found;
  if (is_in_system(name) || ::fstatat(root_.place, directory.c_str() + 1, &asked, 0) != 0 ||
      ::fstatat(root_.place, name.c_str() + 1, &found, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(found.st_mode) ||
      !sys::is_same_file(asked, found))
    return &(unknown_ = std::move(name));
  if (directories_.size() >= most_known) directories_.clear();
  return &directories_.insert_or_assign(directory, Known{std::move(name), found}).first->second.name;
}

std::string LinkWalk::system_name(const std::string& path, sys::Links links) {
  constexpr int most = 8;
  std::string name = path;
  for (int i = 0; i < most; ++i) {
    const auto begin = std::min(name.find_first_not_of('/'), name.size());
    const auto last = std::max(name.rfind('/') + 1, begin);
    if (last > begin) {
      const auto* const directory = real_directory("/" + name.substr(begin, last - 1 - begin));
      if (directory == nullptr) return {};
      if (is_in_system(*directory)) return *directory + "/" + name.substr(last);
      name = *directory + "/" + name.substr(last);
    }
    if (links == sys::Links::kept) return {};
    const auto text = text_of_link(root_, name.c_str() + std::min(name.find_first_not_of('/'), name.size()));
    if (text.empty()) return {};
    name = "/" + sys::clean_path(text.front() == '/' ? text : name.substr(0, name.rfind('/') + 1) + text);
    if (is_in_system(name)) return name;
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
      if (number >= 0 ? root.has(number) : !is_hidden_in_proc(name)) wanted.insert(name);
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
