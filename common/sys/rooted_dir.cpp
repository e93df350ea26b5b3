// The operations of RootedDir; how names are resolved stands in rooted_path.cpp.
#include "common/sys/rooted_dir.hpp"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/sys/device_marks.hpp"
#include "common/sys/file.hpp"
#include "common/sys/file_facts.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/proc.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sys {
namespace {

std::error_code result(int status) {
  return status == 0 ? std::error_code() : std::error_code(errno, std::generic_category());
}

// Of a call by a path through /proc.
std::error_code checked(int status) {
  const auto error = result(status);
  if (error == std::errc::no_such_file_or_directory) require_proc();
  return error;
}

std::optional<struct stat> status_at(int directory, const std::string& name) {
  struct stat status;
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return status;
}

// Of what was just made.
void forget_facts(int directory, const std::string& name) {
  auto* const facts = FileFacts::of_process();
  if (facts == nullptr) return;
  if (const auto made = status_at(directory, name)) facts->forget(*made);
}

// True if a new file stands for the device now.
bool write_mark(int directory, const std::string& name, const Device& device) {
  auto* const marks = DeviceMarks::of_process();
  const auto content = marks == nullptr ? std::nullopt : marks->content_for(device);
  if (!content) return false;
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd file(::openat(directory, name.c_str(), flags, 0600));
  if (!file) util::throw_errno("cannot create " + util::quote(name));
  write_all(file.get(), *content, util::quote(name));
  close_checked(std::move(file), util::quote(name));
  return true;
}

[[noreturn]] void fail(const char* action, const RootedPath& path) {
  const int error = errno;
  if (error == EOPNOTSUPP) require_proc();  // the libc's answer where it is missing
  util::throw_errno(std::string("cannot ") + action + " " + util::quote("/" + path.str()), error);
}

}  // namespace

RootedDir RootedDir::open(const std::filesystem::path& path, Times times) {
  UniqueFd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) util::throw_errno("cannot open " + util::quote(path.string()));
  return RootedDir(std::move(fd), times);
}

std::optional<struct stat> RootedDir::status(const RootedPath& path) {
  const auto [directory, name] = place(path);
  struct stat status;
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    if (const auto* marks = DeviceMarks::of_process()) marks->show(directory, name, status);
    if (const auto* facts = FileFacts::of_process()) facts->apply(status);
    return status;
  }
  if (errno == ENOENT) return std::nullopt;
  fail("look at", path);
}

std::vector<std::string> RootedDir::list(const RootedPath& directory) {
  const auto [parent, name] = place(directory);
  UniqueFd fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) fail("read", directory);
  return names_in(std::move(fd), util::quote("/" + directory.str()));
}

std::optional<RootedPath> RootedDir::follow(std::string_view path) {
  std::string name(path);
  for (int links = 0; links <= 40; ++links) {
    const auto place = find(name);
    if (!place) return std::nullopt;
    const auto found = status(*place);
    if (!found) return std::nullopt;
    if (!S_ISLNK(found->st_mode)) return place;
    const std::string target = target_of(*place);
    name = target.starts_with('/') ? target : place->parent().str() + "/" + target;
  }
  util::throw_errno("cannot find " + util::quote(path), ELOOP);
}

UniqueFd RootedDir::open_file(std::string_view path) {
  const auto found = follow(path);
  return found ? open_file(*found) : UniqueFd();
}

UniqueFd RootedDir::open_file(const RootedPath& path) {
  const auto [directory, name] = place(path);
  auto file = find_regular_at(directory, name, util::quote("/" + path.str()));
  if (const auto* marks = DeviceMarks::of_process(); file && marks != nullptr && marks->is_mark(file.get()))
    return UniqueFd();
  return file;
}

std::string RootedDir::target_of(const RootedPath& path) {
  const auto [directory, name] = place(path);
  std::array<char, 4097> target;
  const ssize_t size = ::readlinkat(directory, name.c_str(), target.data(), target.size());
  if (size < 0) fail("read the symlink", path);
  return {target.data(), static_cast<std::size_t>(size)};
}

UniqueFd RootedDir::create_file(const RootedPath& path) {
  const auto [directory, name] = place_to_change(path);
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(::openat(directory, name.c_str(), flags, 0600));
  if (!fd) fail("create", path);
  forget_facts(directory, name);
  return fd;
}

void RootedDir::make_directory(const RootedPath& path) {
  const auto [directory, name] = place_to_change(path);
  if (::mkdirat(directory, name.c_str(), 0700) != 0) fail("create", path);
  forget_facts(directory, name);
}

void RootedDir::make_symlink(const RootedPath& path, const std::string& target) {
  const auto [directory, name] = place_to_change(path);
  if (::symlinkat(target.c_str(), directory, name.c_str()) != 0) fail("create", path);
  forget_facts(directory, name);
}

void RootedDir::make_hard_link(const RootedPath& path, const RootedPath& existing) {
  // Walked apart: the current directory is that of the new name.
  const UniqueFd source = walk(existing.parent());
  const auto [directory, name] = place_to_change(path);
  const std::string existing_name(existing.name());
  if (::linkat(source.get(), existing_name.c_str(), directory, name.c_str(), 0) != 0) {
    const int error = errno;
    util::throw_errno(
        "cannot link " + util::quote("/" + path.str()) + " to " + util::quote("/" + existing.str()), error);
  }
}

std::error_code RootedDir::make_node(const RootedPath& path, mode_t type, dev_t device) {
  const auto [directory, name] = place_to_change(path);
  auto error = result(::mknodat(directory, name.c_str(), type | 0600, device));
  const bool is_device = S_ISBLK(type) || (S_ISCHR(type) && device != 0);
  if (error == std::errc::operation_not_permitted && is_device && write_mark(directory, name, {type, device}))
    error.clear();
  if (!error) forget_facts(directory, name);
  return error;
}

void RootedDir::make_whiteout(const RootedPath& path) {
  const auto [directory, name] = place_to_change(path);
  if (::mknodat(directory, name.c_str(), S_IFCHR | 0600, 0) != 0 &&
      (errno != EPERM || !write_mark(directory, name, {S_IFCHR, 0})))
    fail("create", path);
}

bool RootedDir::is_mark(const RootedPath& path) {
  const auto [directory, name] = place(path);
  const auto status = status_at(directory, name);
  return status && S_ISREG(status->st_mode) && this->status(path)->st_mode != status->st_mode;
}

void RootedDir::remove(const RootedPath& path) {
  if (path.is_root()) throw util::Error("cannot remove the root");
  const auto [directory, name] = place_to_change(path);
  remove_tree_at(directory, name, "/" + path.str());
  // A symlink or directory that is gone may change where other names lead.
  answer_.reset();
}

void RootedDir::move(const RootedPath& path, RootedDir& from, const RootedPath& source) {
  const auto [source_directory, source_name] = from.place_to_change(source);
  const auto [directory, name] = place_to_change(path);
  if (::renameat(source_directory, source_name.c_str(), directory, name.c_str()) != 0) fail("move", path);
  from.answer_.reset();
  answer_.reset();
}

std::error_code RootedDir::set_owner(const RootedPath& path, uid_t uid, gid_t gid) {
  const auto [directory, name] = place(path);
  const auto error = result(::fchownat(directory, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW));
  auto* const facts = FileFacts::of_process();
  if (facts == nullptr) return error;
  const auto status = status_at(directory, name);
  if (!status) return error;
  facts->set_owner(*status, uid, gid);
  return {};
}

void RootedDir::set_mode(const RootedPath& path, mode_t mode) {
  const auto [directory, name] = place(path);
  if (auto* const facts = FileFacts::of_process()) {
    if (const auto status = status_at(directory, name)) facts->set_mode(*status, mode);
    mode |= 0700;  // whoever it belongs to, we go on reading and writing it
  }
  // The flag needs /proc for all but directories, which are opened to do without.
  const UniqueFd opened(::openat(directory, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const int status = opened ? ::fchmodat(opened.get(), ".", mode, 0)
                            : ::fchmodat(directory, name.c_str(), mode, AT_SYMLINK_NOFOLLOW);
  if (status != 0) fail("set the mode of", path);
}

void RootedDir::set_mode(const RootedPath& path, int file, mode_t mode) {
  if (auto* const facts = FileFacts::of_process()) {
    struct stat status;
    if (::fstat(file, &status) == 0) facts->set_mode(status, mode);
    mode |= 0700;
  }
  if (::fchmod(file, mode) != 0) fail("set the mode of", path);
}

// There is no lsetxattrat(2) on kernels that matter, and a descriptor of a symlink or device will not do.
std::string RootedDir::proc_path(const Place& place) const {
  return link_of(place.directory) + "/" + place.name;
}

std::error_code RootedDir::set_xattr(const RootedPath& path, const std::string& name,
                                     std::string_view value) {
  const auto where = place(path);
  const auto error =
      checked(::lsetxattr(proc_path(where).c_str(), name.c_str(), value.data(), value.size(), 0));
  auto* const facts = FileFacts::of_process();
  if (error != std::errc::operation_not_permitted || facts == nullptr) return error;
  const auto status = status_at(where.directory, where.name);
  if (!status) return error;
  facts->set_xattr(*status, name, value);
  return {};
}

std::error_code RootedDir::remove_xattr(const RootedPath& path, const std::string& name) {
  return checked(::lremovexattr(proc_path(place(path)).c_str(), name.c_str()));
}

std::vector<std::string> RootedDir::list_xattrs(const RootedPath& path) {
  const std::string proc = proc_path(place(path));
  const ssize_t size = ::llistxattr(proc.c_str(), nullptr, 0);
  if (size < 0 && errno == ENOENT) require_proc();
  if (size <= 0) return {};
  std::string names(static_cast<std::size_t>(size), '\0');
  const ssize_t got = ::llistxattr(proc.c_str(), names.data(), names.size());
  if (got <= 0) return {};
  names.resize(static_cast<std::size_t>(got) - 1);  // each ends in a NUL
  return util::split(names, '\0');
}

std::map<std::string, std::string> RootedDir::xattrs(const RootedPath& path) {
  std::map<std::string, std::string> values;
  const auto where = place(path);
  if (const auto* facts = FileFacts::of_process()) {
    if (const auto status = status_at(where.directory, where.name)) values = facts->xattrs(*status);
  }
  const std::string proc = proc_path(where);
  for (const auto& name : list_xattrs(path)) {
    std::string value(XATTR_SIZE_MAX, '\0');
    const ssize_t size = ::lgetxattr(proc.c_str(), name.c_str(), value.data(), value.size());
    if (size < 0) continue;
    value.resize(static_cast<std::size_t>(size));
    values.emplace(name, std::move(value));
  }
  return values;
}

void RootedDir::set_mtime(const RootedPath& path, timespec mtime) {
  const auto [directory, name] = place(path);
  if (old_mtime_ && path == current_) old_mtime_ = mtime;
  const timespec times[2] = {mtime, mtime};
  if (::utimensat(directory, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) fail("set the time of", path);
}

}  // namespace sys
