// Layout directories and tars of them.
#include "tools/oci-merge/write.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "common/image/archive_writer.hpp"
#include "common/image/manifest.hpp"
#include "common/image/place_blob.hpp"
#include "common/stream/read_ahead.hpp"
#include "common/stream/sink.hpp"
#include "common/stream/verified_source.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/thread.hpp"
#include "common/sys/work_dir.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace oci_merge {
namespace {

namespace fs = std::filesystem;

constexpr auto staging_prefix = ".oci-merge-";

std::string layout_index(const Merged& merged) {
  auto entry = merged.index;
  entry.annotations[image::annotation::ref_name] = "latest";
  return to_json(image::Index{std::string(image::media_type::oci_index), {entry}, {}});
}

std::string name_of(const Part& part) {
  return (part.archive != nullptr ? part.archive->what() + ": " : std::string()) + "blob " +
         part.descriptor.digest.str();
}

// Goes away again if it was made here, unless kept.
class Directory {
public:
  explicit Directory(const fs::path& path) : path_(path) {
    made_ = ::mkdir(path.c_str(), 0755) == 0;
    if (!made_ && errno != EEXIST) util::throw_errno("cannot create " + util::quote(path.string()));
    sys::remove_leftovers(path, staging_prefix);
    if (!sys::entries_of(path).empty()) {
      throw util::Error(util::quote(path.string()) +
                        " is not empty: remove it, or choose a directory that is not there yet");
    }
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    if (made_) ::rmdir(path_.c_str());
  }

  // The index last: without it nothing of the rest counts.
  void publish(const fs::path& staging) {
    static constexpr std::array names = {"blobs", "oci-layout", "index.json"};
    for (const auto* name : names) {
      if (::rename((staging / name).c_str(), (path_ / name).c_str()) == 0) continue;
      const int error = errno;
      for (const auto* other : names)
        ::rename((path_ / other).c_str(), (staging / other).c_str());
      util::throw_errno("cannot create " + util::quote((path_ / name).string()), error);
    }
    made_ = false;
  }

private:
  fs::path path_;
  bool made_ = false;
};

void add(image::ArchiveWriter& archive, const Part& part, util::Buffer& buffer,
         const sys::Cancellation& cancel) {
  const auto name = image::blob_name(part.descriptor.digest);
  if (part.archive == nullptr) return archive.add(name, part.json);
  auto& tar = archive.begin(name, part.descriptor.size);
  const auto source = stream::read_ahead(stream::verified(
      part.archive->open_blob(part.descriptor), part.descriptor.digest, part.descriptor.size, name_of(part)));
  while (const std::size_t count = source->read(buffer)) {
    cancel.check();
    tar.write(std::span<const std::byte>(buffer).first(count));
  }
}

}  // namespace

void write_layout(const Merged& merged, const fs::path& path) {
  Directory directory(path);
  const sys::WorkDir staging(path, staging_prefix);
  const auto blobs = staging.path() / "blobs" / "sha256";
  sys::make_directory(blobs.parent_path(), 0755);
  sys::make_directory(blobs, 0755);
  sys::share_work(
      merged.parts.size(), sys::processor_count(), [&](std::size_t number, const sys::Cancellation& cancel) {
        cancel.check();
        const auto& part = merged.parts[number];
        const auto place = staging.path() / image::blob_name(part.descriptor.digest);
        if (part.archive == nullptr) return sys::write_file(place, part.json);
        const auto location = part.archive->find(part.descriptor);
        if (!location) throw util::Error(name_of(part) + " is missing");
        image::place_blob(*location, part.descriptor.digest, place, name_of(part), image::Elsewhere::copied);
      });
  sys::write_file(staging.path() / image::blob_name(merged.index.digest), merged.index_json);
  sys::write_file(staging.path() / "oci-layout", image::layout_marker);
  sys::write_file(staging.path() / "index.json", layout_index(merged));
  sys::Cancellation().check();
  directory.publish(staging.path());
}

void write_archive(const Merged& merged, const fs::path& path) {
  const auto what = util::quote(path.string());
  if (sys::leads_to_directory(path)) throw util::Error(what + " is a directory: remove it");
  sys::WorkFile file(path.has_parent_path() ? path.parent_path() : ".", staging_prefix);
  sys::UniqueFd fd(::open(file.path().c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) util::throw_errno("cannot write " + what);
  const auto sink = stream::to_fd(fd.get(), what);
  image::ArchiveWriter archive(*sink);
  archive.add("oci-layout", image::layout_marker);
  archive.add("index.json", layout_index(merged));
  archive.add_blob_directories();
  archive.add(image::blob_name(merged.index.digest), merged.index_json);
  const sys::Cancellation cancel;
  util::Buffer buffer(256 << 10);
  for (const auto& part : merged.parts)
    add(archive, part, buffer, cancel);
  archive.finish();
  sink->finish();
  sys::close_checked(std::move(fd), what);
  file.commit(path);
}

}  // namespace oci_merge
