// Walking the files of a context.
#include "common/context/tree.hpp"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace context {
namespace {

bool has_vanished(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

sys::UniqueFd open_directory(int parent, const char* name) {
  return sys::UniqueFd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

std::vector<std::string> sorted_names(int fd, const std::string& what) {
  // Opened anew: a duplicate would share its position.
  sys::UniqueFd own = open_directory(fd, ".");
  if (!own) util::throw_errno("cannot read directory " + what);
  auto names = sys::names_in(std::move(own), "directory " + what);
  std::sort(names.begin(), names.end());
  return names;
}

// Without O_NONBLOCK a FIFO that took the file's place would keep us waiting for a writer.
constexpr int open_flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

std::string parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? "" : path.substr(0, slash));
}

std::string name_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

}  // namespace

// An open directory of the context and what the patterns said of it.
struct Tree::Place {
  sys::UniqueFd directory;
  std::string path;
  Ignore::Matches matches;
  bool ignored_below = false;  // it is ignored with everything in it

  std::string below(const std::string& name) const { return path.empty() ? name : path + '/' + name; }
};

Tree::Tree(const std::filesystem::path& root, Ignore ignore)
    : root_name_(root.string()),
      root_(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      ignore_(std::move(ignore)) {
  if (!root_) util::throw_errno("cannot open build context " + util::quote(root_name_));
}

std::string Tree::shown(std::string_view path) const {
  return util::quote(path.empty() ? root_name_ : root_name_ + '/' + std::string(path));
}

// The way down matters: what the patterns say of a path depends on what they said of every directory above.
std::optional<Tree::Place> Tree::descend(std::string_view path) const {
  Place place{open_directory(root_.get(), "."), "", {}};
  if (!place.directory) util::throw_errno("cannot read directory " + shown(""));
  if (path.empty()) return place;
  for (const auto& name : util::split(path, '/')) {
    std::string next = place.below(name);
    auto directory = open_directory(place.directory.get(), name.c_str());
    if (!directory) {
      if (has_vanished(errno)) return std::nullopt;
      util::throw_errno("cannot read directory " + shown(next));
    }
    const auto verdict = ignore_.judge(next, place.matches);
    const bool ignored_below = place.ignored_below || (verdict.ignored && ignore_.ignores_all_below(next));
    place = Place{std::move(directory), std::move(next), verdict.matches, ignored_below};
  }
  return place;
}

std::optional<Entry> Tree::entry_at(int directory, const std::string& name, std::string path) const {
  Entry entry{std::move(path), {}, ""};
  if (::fstatat(directory, name.c_str(), &entry.status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (has_vanished(errno)) return std::nullopt;
    util::throw_errno("cannot read " + shown(entry.path));
  }
  if (!S_ISLNK(entry.status.st_mode)) return entry;
  std::array<char, 4096> buffer{};
  const ssize_t size = ::readlinkat(directory, name.c_str(), buffer.data(), buffer.size());
  if (size < 0) util::throw_errno("cannot read symlink " + shown(entry.path));
  entry.link.assign(buffer.data(), static_cast<std::size_t>(size));
  return entry;
}

std::optional<Entry> Tree::find(std::string_view path) const {
  if (path.empty()) return entry_at(root_.get(), ".", "");
  const auto parent = descend(parent_of(path));
  if (!parent || parent->ignored_below) return std::nullopt;
  auto entry = entry_at(parent->directory.get(), name_of(path), std::string(path));
  if (!entry || !ignore_.judge(path, parent->matches).ignored) return entry;
  if (!S_ISDIR(entry->status.st_mode)) return std::nullopt;
  const auto place = descend(path);
  std::vector<Entry> unseen;
  const auto stop_at_first = [](const Entry&) { return false; };
  if (!place || place->ignored_below || walk_directory(*place, unseen, stop_at_first)) return std::nullopt;
  return entry;
}

void Tree::walk(std::string_view path, const std::function<void(const Entry&)>& visit) const {
  const auto place = descend(path);
  if (!place || place->ignored_below) return;
  std::vector<Entry> unseen;
  walk_directory(*place, unseen, [&](const Entry& entry) {
    visit(entry);
    return true;
  });
}

bool Tree::walk_directory(const Place& place, std::vector<Entry>& unseen, const Visit& visit) const {
  for (const auto& name : sorted_names(place.directory.get(), shown(place.path))) {
    if (!walk_entry(place, name, unseen, visit)) return false;
  }
  return true;
}

// `unseen` are the ignored directories on the way that have not been shown yet.
bool Tree::walk_entry(const Place& place, const std::string& name, std::vector<Entry>& unseen,
                      const Visit& visit) const {
  auto entry = entry_at(place.directory.get(), name, place.below(name));
  if (!entry) return true;
  auto verdict = ignore_.judge(entry->path, place.matches);
  const bool is_directory = S_ISDIR(entry->status.st_mode);
  if (verdict.ignored && (!is_directory || ignore_.ignores_all_below(entry->path))) return true;
  if (!verdict.ignored) {
    for (const auto& directory : std::exchange(unseen, {})) {
      if (!visit(directory)) return false;
    }
    if (!visit(*entry)) return false;
  }
  // A level of the walk is a call and a descriptor.
  if (!is_directory || entry->path.size() >= PATH_MAX) return true;

  auto directory = open_directory(place.directory.get(), name.c_str());
  if (!directory) {
    if (has_vanished(errno) || (verdict.ignored && errno == EACCES)) return true;
    util::throw_errno("cannot read directory " + shown(entry->path));
  }
  const Place below{std::move(directory), entry->path, std::move(verdict.matches)};
  if (!verdict.ignored) return walk_directory(below, unseen, visit);
  unseen.push_back(std::move(*entry));
  const bool go_on = walk_directory(below, unseen, visit);
  // Unless it was shown on the way, and with it the list emptied, it is the last one still waiting.
  if (!unseen.empty()) unseen.pop_back();
  return go_on;
}

Tree::File Tree::open(std::string_view path) const {
  File file{.fd = sys::open_beneath(root_.get(), std::string(path), open_flags), .status = {}};
  auto& fd = file.fd;
  if (!fd) {
    // Element by element: for kernels and tasks without openat2(2), and for the reason.
    const auto parent = descend(parent_of(path));
    if (!parent) throw util::Error("cannot open " + shown(path) + ": No such file or directory");
    fd = sys::UniqueFd(::openat(parent->directory.get(), name_of(path).c_str(), open_flags));
  }
  if (!fd) util::throw_errno("cannot open " + shown(path));
  if (::fstat(fd.get(), &file.status) != 0) util::throw_errno("cannot read " + shown(path));
  if (!S_ISREG(file.status.st_mode)) sys::require_regular(fd.get(), shown(path));
  return file;
}

}  // namespace context
