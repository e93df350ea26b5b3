// Whole-file reads and atomic writes.
#include "common/sys/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "common/sys/remove_tree.hpp"
#include "common/sys/stop.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sys {

UniqueFd open_readable(const std::filesystem::path& path) {
  for (;;) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd) return fd;
    if (errno != EINTR) util::throw_errno("cannot open " + util::quote(path.string()));
    stop::check();  // a pipe without a writer would keep us for ever
  }
}

std::string read_to_end(int fd, const std::string& what, std::uint64_t limit) {
  std::string content;
  std::array<std::byte, 65536> buffer;
  while (const std::size_t count = read_some(fd, buffer, what)) {
    if (content.size() + count > limit) {
      throw util::Error(what + " is larger than " + util::human_size(limit));
    }
    content.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return content;
}

std::string read_file(const std::filesystem::path& path, std::uint64_t limit) {
  return read_to_end(open_readable(path).get(), util::quote(path.string()), limit);
}

void write_file(const std::filesystem::path& path, std::string_view content, mode_t mode) {
  PendingFile file(path, mode);
  write_all(file.fd(), content, util::quote(path.string()));
  file.commit();
}

PendingFile::PendingFile(std::filesystem::path path, mode_t mode) : path_(std::move(path)) {
  std::string pattern = (path_.parent_path() / ("." + path_.filename().string() + ".XXXXXX")).string();
  fd_ = UniqueFd(::mkostemp(pattern.data(), O_CLOEXEC));
  if (!fd_) util::throw_errno("cannot create " + util::quote(path_.string()));
  temporary_ = pattern;
  if (::fchmod(fd_.get(), mode) != 0) {
    const int error = errno;
    ::unlink(temporary_.c_str());
    util::throw_errno("cannot set the mode of " + util::quote(path_.string()), error);
  }
}

PendingFile::~PendingFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void PendingFile::commit() {
  close_checked(std::move(fd_), util::quote(path_.string()));
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    util::throw_errno("cannot create " + util::quote(path_.string()));
  }
  temporary_.clear();
}

void replace_directory(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return;
  if (errno != ENOENT) remove_tree(to);
  if (::rename(from.c_str(), to.c_str()) != 0) util::throw_errno("cannot create " + util::quote(to.string()));
}

}  // namespace sys
