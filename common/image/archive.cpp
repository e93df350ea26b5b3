// Tells what an image is and opens it.
#include "common/image/archive.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "common/image/docker_archive.hpp"
#include "common/image/members.hpp"
#include "common/image/oci_archive.hpp"
#include "common/image/tagged_layout.hpp"
#include "common/stream/decompressed.hpp"
#include "common/stream/read_ahead.hpp"
#include "common/stream/verified_source.hpp"
#include "common/sys/empty_pipe.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace image {
namespace {

sys::UniqueFd make_unlinked_file() {
  const auto directory = sys::scratch_directory();
  sys::UniqueFd fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd) return fd;
  // Not every filesystem has O_TMPFILE.
  std::string pattern = (directory / "oci-build-XXXXXX").string();
  fd = sys::UniqueFd(::mkostemp(pattern.data(), O_CLOEXEC));
  if (!fd) util::throw_errno("cannot create a temporary file in " + util::quote(directory.string()));
  ::unlink(pattern.c_str());
  return fd;
}

// Everything `source` gives, in a file without a name.
sys::UniqueFd spool(std::unique_ptr<stream::Source> source) {
  auto fd = make_unlinked_file();
  util::Buffer buffer(256 << 10);
  while (const std::size_t count = source->read(buffer)) {
    sys::write_all(fd.get(), std::span(buffer).first(count), "a temporary file");
  }
  return fd;
}

stream::Compression compression_of(int fd, const std::string& what) {
  std::array<std::byte, stream::detect_size> head;
  return stream::detect(std::span(head).first(sys::read_some_at(fd, head, 0, what)));
}

// A descriptor with the plain tar, positioned reads from 0 on.
sys::UniqueFd seekable_tar(sys::UniqueFd fd, const std::string& what) {
  struct stat status;
  if (::fstat(fd.get(), &status) != 0) util::throw_errno("cannot read " + what);
  const bool in_place = S_ISREG(status.st_mode) && ::lseek(fd.get(), 0, SEEK_CUR) == 0 &&
                        compression_of(fd.get(), what) == stream::Compression::none;
  if (in_place) return fd;
  const sys::UniqueFd input(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  auto tar = spool(stream::read_ahead(stream::decompressed(stream::from_fd(std::move(fd), what), what)));
  if (::lseek(tar.get(), 0, SEEK_END) == 0) sys::check_for_empty_pipe(input.get());
  return tar;
}

std::unique_ptr<Archive> open_directory(const std::filesystem::path& path, const std::string& what,
                                        const std::string& tag) {
  auto members = directory_members(path);
  if (members->find("index.json"))
    return open_oci_archive(std::move(members), Format::oci_layout, what, {.tag = tag});
  if (members->find("version") && members->find("manifest.json")) {
    throw util::Error(what + " is a directory of skopeo's 'dir:' format; copy it to 'oci:' with skopeo");
  }
  // The directory of a pipeline step, given instead of what is in it.
  for (const auto& [name, sign] :
       {std::pair("image.tar", "image.tar"), std::pair("image", "image/index.json"),
        std::pair("oci", "oci/index.json")}) {
    if (!members->find(sign)) continue;
    throw util::Error(what + " is no image, but holds one: give " + util::quote((path / name).string()));
  }
  throw util::Error(what + " is no image: it has no 'index.json'; " + expected_images);
}

}  // namespace

std::unique_ptr<stream::Source> Archive::open_blob(const Descriptor& descriptor) const {
  const auto location = find(descriptor);
  const auto name = what() + ": blob " + descriptor.digest.str();
  if (!location) throw util::Error(name + " is missing");
  return stream::from_range(location->fd, location->offset, location->size, name);
}

std::string Archive::read_document(const Descriptor& descriptor) const {
  const auto name = what() + ": blob " + descriptor.digest.str();
  if (descriptor.size > max_document_size) {
    throw util::Error(name + " is larger than " + util::human_size(max_document_size));
  }
  return stream::read_all(*stream::verified(open_blob(descriptor), descriptor.digest, descriptor.size, name),
                          name, max_document_size);
}

std::unique_ptr<Archive> open(const std::filesystem::path& path) {
  const auto place = locate(path);
  const auto what = util::quote(place.path.string());
  if (sys::leads_to_directory(place.path)) return open_directory(place.path, what, place.tag);
  return open(sys::open_readable(path, sys::Readable::piped_input), what);
}

std::unique_ptr<Archive> open_layout_entry(const std::filesystem::path& directory,
                                           const hash::Digest& digest) {
  return open_oci_archive(directory_members(directory, FileLinks::followed), Format::oci_layout,
                          util::quote(directory.string()), {.digest = digest});
}

std::unique_ptr<Archive> open(sys::UniqueFd fd, const std::string& what) {
  auto members = tar_members(seekable_tar(std::move(fd), what), what);
  const bool docker = members->find("manifest.json").has_value();
  if (members->find("index.json")) {
    return open_oci_archive(std::move(members), docker ? Format::docker_archive : Format::oci_archive, what);
  }
  if (docker) return open_docker_archive(std::move(members), what);
  throw util::Error(what + " is no image: it has neither 'index.json' nor 'manifest.json'; " +
                    expected_images);
}

std::unique_ptr<Archive> open_argument(const std::filesystem::path& argument) {
  if (argument != "-") return open(argument);
  sys::UniqueFd fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
  if (!fd) util::throw_errno("cannot read stdin");
  return open(std::move(fd), "stdin");
}

}  // namespace image
