// Questions about paths, as system calls.
#include "common/sys/paths.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sys {
namespace {

namespace fs = std::filesystem;

struct Free {
  void operator()(char* text) const noexcept { std::free(text); }
};
using Text = std::unique_ptr<char, Free>;

[[noreturn]] void fail(std::string_view action, const fs::path& path) {
  const int error = errno;
  util::throw_errno("cannot " + std::string(action) + " " + util::quote(path.string()), error);
}

UniqueFd open_to_list(const fs::path& directory) {
  return UniqueFd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

// Adds what can be read, and returns 0 or the error number that ended it.
int read_names(UniqueFd directory, std::vector<std::string>& names) {
  if (!directory) return errno;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(directory.get()), ::closedir);
  if (!stream) return errno;
  static_cast<void>(directory.release());  // closedir closes it
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) return errno;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

std::vector<fs::path> paths_of(const fs::path& directory, const std::vector<std::string>& names) {
  std::vector<fs::path> paths;
  paths.reserve(names.size());
  for (const auto& name : names)
    paths.push_back(directory / name);
  return paths;
}

}  // namespace

std::optional<struct stat> find_status(const fs::path& path, Links links) {
  struct stat status {};
  const int flags = links == Links::kept ? AT_SYMLINK_NOFOLLOW : 0;
  if (::fstatat(AT_FDCWD, path.c_str(), &status, flags) == 0) return status;
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  fail("look at", path);
}

bool is_there(const fs::path& path, Links links) {
  return find_status(path, links).has_value();
}

bool leads_to_directory(const fs::path& path) noexcept {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::vector<fs::path> entries_of(const fs::path& directory) {
  auto fd = open_to_list(directory);
  if (!fd) fail("read the directory", directory);
  return paths_of(directory, names_in(std::move(fd), "the directory " + util::quote(directory.string())));
}

std::vector<fs::path> readable_entries_of(const fs::path& directory) {
  std::vector<std::string> names;
  read_names(open_to_list(directory), names);
  return paths_of(directory, names);
}

std::vector<std::string> names_in(UniqueFd directory, const std::string& what) {
  std::vector<std::string> names;
  if (const int error = read_names(std::move(directory), names))
    util::throw_errno("cannot read " + what, error);
  return names;
}

void make_directory(const fs::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 || ::chmod(path.c_str(), mode) != 0) fail("make the directory", path);
}

void set_mode(const fs::path& path, mode_t mode) {
  if (::chmod(path.c_str(), mode) != 0) fail("set the mode of", path);
}

fs::path absolute_path(const fs::path& path) {
  if (path.is_absolute()) return path;
  const Text here(::getcwd(nullptr, 0));
  if (!here) util::throw_errno("cannot find the working directory");
  return fs::path(here.get()) / path;
}

fs::path resolved_path(const fs::path& path) {
  const Text resolved(::realpath(path.c_str(), nullptr));
  if (!resolved) fail("resolve", path);
  return resolved.get();
}

fs::path link_target(const fs::path& link) {
  std::string target(256, '\0');
  for (;;) {
    const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
    if (size < 0) fail("read the symbolic link", link);
    if (static_cast<std::size_t>(size) < target.size()) {
      target.resize(static_cast<std::size_t>(size));
      return target;
    }
    target.resize(target.size() * 2);  // it may go on
  }
}

}  // namespace sys
