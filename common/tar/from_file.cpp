// Types of files and of members.
#include "common/tar/from_file.hpp"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/sys/fd.hpp"
#include "common/util/error.hpp"

namespace tar {
namespace {

Type type_of_mode(mode_t mode) {
  if (S_ISDIR(mode)) return Type::directory;
  if (S_ISLNK(mode)) return Type::symlink;
  if (S_ISCHR(mode)) return Type::character_device;
  if (S_ISBLK(mode)) return Type::block_device;
  if (S_ISFIFO(mode)) return Type::fifo;
  return Type::regular;
}

}  // namespace

Entry entry_of(std::string path, const struct stat& status) {
  Entry entry;
  entry.path = std::move(path);
  entry.type = type_of_mode(status.st_mode);
  entry.mode = status.st_mode & 07777;
  entry.uid = status.st_uid;
  entry.gid = status.st_gid;
  entry.mtime.seconds = status.st_mtim.tv_sec;
  if (entry.type == Type::character_device || entry.type == Type::block_device) {
    entry.device_major = ::major(status.st_rdev);
    entry.device_minor = ::minor(status.st_rdev);
  }
  return entry;
}

std::optional<std::vector<Extent>> extents_of(int fd, std::uint64_t size) {
  constexpr std::size_t most = 4096;  // readers have limits
  std::vector<Extent> extents;
  std::uint64_t held = 0;
  for (std::uint64_t at = 0; at < size;) {
    const auto begin = ::lseek(fd, static_cast<off_t>(at), SEEK_DATA);
    if (begin < 0 && errno == ENXIO) break;  // a hole up to the end
    const auto end = begin < 0 ? begin : ::lseek(fd, begin, SEEK_HOLE);
    if (end < 0 || extents.size() == most) return std::nullopt;
    const auto from = static_cast<std::uint64_t>(begin);
    at = std::min(static_cast<std::uint64_t>(end), size);
    if (from >= at) break;
    extents.push_back({from, at - from});
    held += at - from;
  }
  if (held == size) return std::nullopt;
  return extents;
}

void write_content(Writer& writer, int fd, std::uint64_t size, const std::string& what,
                   std::span<std::byte> buffer, const sys::Cancellation& cancel) {
  while (size > 0) {
    cancel.check();
    const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), size);
    const std::size_t count = sys::read_some(fd, buffer.first(wanted), what);
    if (count == 0) throw util::Error(what + " became shorter while it was packed");
    writer.write(buffer.first(count));
    size -= count;
  }
}

}  // namespace tar
