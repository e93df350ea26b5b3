// Links, reflinks, references, copies.
#include "common/image/place_blob.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <optional>

#include "common/stream/read_ahead.hpp"
#include "common/stream/verified_source.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/proc.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace image {
namespace {

// What extents are shared in units of; all filesystems with reflinks use 4 KiB where pages are that large.
constexpr std::uint64_t clone_unit = 4096;

// Copied rather than referred to: with its documents in place, a layout can be read whatever becomes of the
// rest.
constexpr std::uint64_t small_size = 64 << 10;

std::unique_ptr<stream::Source> checked(const Location& location, const hash::Digest& digest,
                                        const std::string& what) {
  return stream::verified(stream::from_range(location.fd, location.offset, location.size, what), digest,
                          location.size, what);
}

sys::UniqueFd create(const std::filesystem::path& destination) {
  sys::UniqueFd fd(::open(destination.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd) util::throw_errno("cannot create " + util::quote(destination.string()));
  return fd;
}

// Everything by extents but the last, incomplete unit. How many bytes that were; 0 where it cannot be done.
std::uint64_t clone(const Location& location, int to) {
  const std::uint64_t size = location.size / clone_unit * clone_unit;
  if (size == 0 || location.offset % clone_unit != 0) return 0;
  struct file_clone_range range = {};
  range.src_fd = location.fd->get();
  range.src_offset = location.offset;
  range.src_length = size;
  return ::ioctl(to, FICLONERANGE, &range) == 0 ? size : 0;
}

void copy_tail(const Location& location, std::uint64_t done, int to, const std::string& destination,
               const std::string& what) {
  const auto source = stream::from_range(location.fd, location.offset + done, location.size - done, what);
  const auto tail = stream::read_all(*source, what, clone_unit);
  if (::lseek(to, static_cast<off_t>(done), SEEK_SET) < 0) util::throw_errno("cannot write " + destination);
  sys::write_all(to, tail, destination);
}

// Reading and hashing run beside writing.
void copy(const Location& location, const hash::Digest& digest, int to,
          const std::filesystem::path& destination, const std::string& what) {
  const auto source = stream::read_ahead(checked(location, digest, what));
  util::Buffer buffer(256 << 10);
  while (const std::size_t count = source->read(buffer)) {
    sys::write_all(to, std::span(buffer).first(count), util::quote(destination.string()));
  }
}

// The ways that make a name for the file as it is, without a byte of it.
std::optional<Placement> name_again(const Location& location, const std::filesystem::path& destination) {
  if (location.file.empty()) return std::nullopt;
  // By descriptor: what was opened is what is linked, whatever the name means by now.
  if (::linkat(AT_FDCWD, sys::link_of(location.fd->get()).c_str(), AT_FDCWD, destination.c_str(),
               AT_SYMLINK_FOLLOW) == 0) {
    return Placement::linked;
  }
  return std::nullopt;
}

Placement fill(const Location& location, const hash::Digest& digest, const std::filesystem::path& destination,
               const std::string& what, Elsewhere elsewhere) {
  auto file = create(destination);
  if (const std::uint64_t cloned = clone(location, file.get())) {
    copy_tail(location, cloned, file.get(), util::quote(destination.string()), what);
    sys::close_checked(std::move(file), util::quote(destination.string()));
    stream::drain(*checked(location, digest, what));
    return Placement::cloned;
  }
  if (elsewhere == Elsewhere::referenced && !location.file.empty() && location.size > small_size) {
    // Concourse gives every input a mount of its own, so hard links end there.
    ::unlink(destination.c_str());
    if (::symlink(sys::absolute_path(location.file).c_str(), destination.c_str()) != 0) {
      util::throw_errno("cannot create " + util::quote(destination.string()));
    }
    stream::drain(*checked(location, digest, what));
    return Placement::referenced;
  }
  copy(location, digest, file.get(), destination, what);
  sys::close_checked(std::move(file), util::quote(destination.string()));
  return Placement::copied;
}

}  // namespace

Placement place_blob(const Location& location, const hash::Digest& digest,
                     const std::filesystem::path& destination, const std::string& what, Elsewhere elsewhere) {
  const auto named = name_again(location, destination);
  try {
    if (!named) return fill(location, digest, destination, what, elsewhere);
    stream::drain(*checked(location, digest, what));
    return *named;
  } catch (...) {
    ::unlink(destination.c_str());
    throw;
  }
}

}  // namespace image
