// How RootedDir finds things: lexical cleaning, symlinks resolved inside the root, the directory at hand kept
// open.
#include <fcntl.h>
#include <limits.h>

#include <array>
#include <cerrno>

#include "common/sys/path_walk.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sys {
namespace {

constexpr int max_symlinks = 40;               // what the kernel allows, too
constexpr int max_destination_symlinks = 255;  // what BuildKit allows

UniqueFd open_directory(int parent, const char* name) {
  // O_PATH needs no right to read, and with O_DIRECTORY | O_NOFOLLOW a symlink is ENOTDIR.
  return UniqueFd(::openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// Takes the first component off `path`; empty when there are no more.
std::string_view take_component(std::string_view& path) {
  while (path.starts_with('/'))
    path.remove_prefix(1);
  const auto component = path.substr(0, path.find('/'));
  path.remove_prefix(component.size());
  return component;
}

// The target if it is a symlink.
std::optional<std::string> read_link(int directory, const char* name) {
  std::array<char, PATH_MAX> target;
  const ssize_t size = ::readlinkat(directory, name, target.data(), target.size());
  if (size < 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(size));
}

}  // namespace

std::string_view RootedPath::name() const noexcept {
  const auto slash = text_.rfind('/');
  return slash == std::string::npos ? std::string_view(text_) : std::string_view(text_).substr(slash + 1);
}

RootedPath RootedPath::parent() const {
  const auto slash = text_.rfind('/');
  return slash == std::string::npos ? RootedPath() : RootedPath(text_.substr(0, slash));
}

RootedPath RootedPath::child(std::string_view name) const {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos ||
      name.find('\0') != std::string_view::npos) {
    throw util::Error(util::quote(name) + " cannot be the name of a file");
  }
  std::string path = text_.empty() ? std::string(name) : text_ + "/" + std::string(name);
  check_length(path);
  return RootedPath(std::move(path));
}

bool RootedPath::is_within(const RootedPath& directory) const noexcept {
  if (directory.is_root()) return true;
  return text_.starts_with(directory.text_) &&
         (text_.size() == directory.text_.size() || text_[directory.text_.size()] == '/');
}

void check_length(std::string_view path) {
  if (path.size() < PATH_MAX) return;
  throw util::Error("the name " + util::quote(std::string(path.substr(0, 60)) + "...") + " has " +
                        std::to_string(path.size()) + " bytes, more than Linux can use (" +
                        std::to_string(PATH_MAX - 1) + ")",
                    util::Cause{.code = std::make_error_code(std::errc::filename_too_long)});
}

std::string clean_path(std::string_view path) {
  std::string clean;
  for (auto component = take_component(path); !component.empty(); component = take_component(path)) {
    if (component == ".") continue;
    if (component == "..") {
      const auto slash = clean.rfind('/');
      clean.resize(slash == std::string::npos ? 0 : slash);
      continue;
    }
    if (!clean.empty()) clean += '/';
    clean += component;
  }
  return clean;
}

RootedDir RootedDir::inside(const RootedPath& directory) {
  return RootedDir(walk(directory), times_);
}

std::optional<RootedPath> RootedDir::find(std::string_view path) {
  return resolve(path, Missing::stop);
}

RootedPath RootedDir::find_or_make_parents(std::string_view path) {
  return *resolve(path, Missing::make);
}

std::optional<RootedPath> RootedDir::destination(std::string_view path) {
  const auto clean = clean_path(path);
  check_length(clean);
  auto walked = walk_links(clean, max_destination_symlinks, [&](const RootedPath& next, const PathWalk&) {
    const bool is_reachable = find(next.str()).has_value();
    const auto found = is_reachable ? status(next) : std::nullopt;
    if (!found || !S_ISLNK(found->st_mode)) return Met();
    return Met{Met::Kind::symlink, target_of(next)};
  });
  if (walked.end != WalkedTo::End::place) return std::nullopt;
  return std::move(walked.place);
}

UniqueFd RootedDir::open_place(std::string_view path) const {
  const auto fail = [&] { util::throw_errno("cannot find " + util::quote(path)); };
  // All that was walked through, so that ".." leads back there and not to where a directory has been moved.
  std::vector<UniqueFd> way;
  way.push_back(open_directory(root_.get(), "."));
  if (!way.back()) fail();
  const auto clean = clean_path(path);
  check_length(clean);
  PathWalk walk(clean, max_destination_symlinks);
  while (const auto component = walk.next()) {
    if (*component == "..") {
      if (way.size() > 1) way.pop_back();
      continue;
    }
    UniqueFd next(
        ::openat(way.back().get(), std::string(*component).c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next && (errno == ENOENT || errno == ENOTDIR)) return UniqueFd();
    struct stat status;
    if (!next || ::fstat(next.get(), &status) != 0) fail();
    if (!S_ISLNK(status.st_mode)) {
      if (way.size() >= PATH_MAX / 2) util::throw_errno("cannot find " + util::quote(path), ENAMETOOLONG);
      way.push_back(std::move(next));
      continue;
    }
    const auto target = read_link(next.get(), "");
    if (!target) fail();
    if (!walk.follow(*target)) return UniqueFd();
    if (target->starts_with('/')) way.erase(way.begin() + 1, way.end());
  }
  return std::move(way.back());
}

std::optional<RootedPath> RootedDir::resolve(std::string_view path, Missing missing) {
  std::string clean = clean_path(path);
  check_length(clean);
  if (clean.empty()) return RootedPath();
  const auto slash = clean.rfind('/');
  const std::string last = slash == std::string::npos ? clean : clean.substr(slash + 1);
  clean.resize(slash == std::string::npos ? 0 : slash);
  if (!answer_ || asked_ != clean) {
    answer_ = resolve_directory(clean, missing);
    asked_ = std::move(clean);
  }
  if (!answer_) return std::nullopt;
  return answer_->child(last);
}

// Where the directory `path` really is.
std::optional<RootedPath> RootedDir::resolve_directory(const std::string& path, Missing missing) {
  RootedPath at;
  PathWalk walk(path, max_symlinks);
  while (const auto next_name = walk.next()) {
    const std::string component(*next_name);
    if (component == "..") {
      at = at.parent();
      continue;
    }
    const int directory = enter(at);
    RootedPath next = at.child(component);
    UniqueFd opened = open_directory(directory, component.c_str());
    if (!opened && errno == ENOENT && missing == Missing::make) {
      make_directory(next);
      set_mode(next, 0755);
      opened = open_directory(directory, component.c_str());
    }
    if (opened) {
      settle();
      current_ = at = std::move(next);
      current_fd_ = std::move(opened);
      continue;
    }
    const int error = errno;
    const auto target =
        error == ENOTDIR || error == ELOOP ? read_link(directory, component.c_str()) : std::nullopt;
    if (target) {
      if (!walk.follow(*target)) util::throw_errno("cannot find " + util::quote("/" + path), ELOOP);
      if (target->starts_with('/')) at = RootedPath();
      continue;
    }
    if (missing == Missing::stop && (error == ENOENT || error == ENOTDIR)) return std::nullopt;
    util::throw_errno("cannot enter " + util::quote("/" + next.str()), error);
  }
  return at;
}

// A descriptor of `directory` that stays good until the next call.
int RootedDir::enter(const RootedPath& directory) {
  if (directory.is_root()) {
    if (!current_fd_ || !current_.is_root()) {
      UniqueFd fd = open_directory(root_.get(), ".");
      if (!fd) util::throw_errno("cannot enter the root");
      settle();
      current_ = RootedPath();
      current_fd_ = std::move(fd);
    }
  } else if (!current_fd_ || current_ != directory) {
    UniqueFd fd = walk(directory);
    settle();
    current_ = directory;
    current_fd_ = std::move(fd);
  }
  return current_fd_.get();
}

UniqueFd RootedDir::walk(const RootedPath& directory) {
  // From the directory at hand if that is on the way.
  const bool below = current_fd_ && directory.is_within(current_);
  UniqueFd fd = open_directory(below ? current_fd_.get() : root_.get(), ".");
  std::string_view rest = directory.text_;
  if (below) rest.remove_prefix(current_.text_.size());
  for (auto component = take_component(rest); fd && !component.empty(); component = take_component(rest)) {
    fd = open_directory(fd.get(), std::string(component).c_str());
  }
  if (!fd) {
    const int error = errno;
    util::throw_errno("cannot enter " + util::quote("/" + directory.str()), error);
  }
  return fd;
}

RootedDir::Place RootedDir::place(const RootedPath& path) {
  if (path.is_root()) return {enter(path), "."};
  return {enter(path.parent()), std::string(path.name())};
}

RootedDir::Place RootedDir::place_to_change(const RootedPath& path) {
  Place found = place(path);
  if (times_ == Times::kept && !old_mtime_) {
    struct stat status;
    if (::fstat(found.directory, &status) != 0)
      util::throw_errno("cannot look at the directory of " + util::quote(path.str()));
    old_mtime_ = status.st_mtim;
  }
  return found;
}

void RootedDir::settle() {
  if (!old_mtime_) return;
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, *old_mtime_};
  old_mtime_.reset();
  if (::utimensat(current_fd_.get(), ".", times, 0) != 0) {
    util::throw_errno("cannot set the time of " + util::quote("/" + current_.str()));
  }
}

}  // namespace sys
