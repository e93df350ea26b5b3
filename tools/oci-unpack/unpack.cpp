// Unpacks beside the final place and moves there at the end.
#include "tools/oci-unpack/unpack.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/layer/unpack.hpp"
#include "common/stream/sink.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/sys/work_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"
#include "tools/oci-unpack/write_tar.hpp"

namespace oci_unpack {
namespace {

namespace fs = std::filesystem;

constexpr auto staging_prefix = ".oci-unpack-";
constexpr const char* file_names[] = {"metadata.json", "labels.json"};  // beside the rootfs

// The directory that everything goes to. Unless kept it goes away again if it was made here.
class Destination {
public:
  explicit Destination(fs::path path) : path_(std::move(path)) {
    made_ = ::mkdir(path_.c_str(), 0755) == 0;
    if (!made_ && errno != EEXIST)
      util::throw_errno("cannot make the directory " + util::quote(path_.string()));
    // Also of one that was killed when all was in place.
    sys::remove_leftovers(path_, staging_prefix);
    check_free();
  }
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;
  ~Destination() {
    if (made_) ::rmdir(path_.c_str());
  }

  const fs::path& path() const { return path_; }

  // Moves what was unpacked into `staging` to its place.
  // The rootfs last: who is killed before it has left nothing that counts, and the next one may try again.
  void publish(const fs::path& staging) {
    std::vector<std::string> had;  // that were there
    for (const std::string name : file_names) {
      if (::link((path_ / name).c_str(), old_of(staging, name).c_str()) == 0) had.push_back(name);
    }
    std::vector<std::string> moved;
    try {
      for (const std::string name : file_names) {
        move(staging / name, path_ / name);
        moved.push_back(name);
      }
      move(staging / "rootfs", path_ / "rootfs");
    } catch (const util::Error&) {
      for (const auto& name : moved) {
        const bool had_one = std::find(had.begin(), had.end(), name) != had.end();
        move(had_one ? old_of(staging, name) : path_ / name, had_one ? path_ / name : staging / name);
      }
      throw;
    }
    made_ = false;
  }

private:
  // Said before the work rather than after it.
  void check_free() const {
    const auto rootfs = path_ / "rootfs";
    const auto status = sys::find_status(rootfs, sys::Links::kept);
    if (status && (!S_ISDIR(status->st_mode) || !sys::entries_of(rootfs).empty())) {
      throw util::Error(util::quote(rootfs.string()) +
                        " exists already: remove it, or choose a directory without a rootfs");
    }
    for (const auto* name : file_names) {
      if (sys::leads_to_directory(path_ / name))
        throw util::Error(util::quote((path_ / name).string()) + " is a directory: remove it");
    }
  }

  static fs::path old_of(const fs::path& staging, const std::string& name) {
    return staging / ("old-" + name);
  }

  static void move(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0)
      util::throw_errno("cannot create " + util::quote(to.string()));
  }

  fs::path path_;
  bool made_ = false;
};

void warn_of(const layer::Loss& loss, const std::string& what) {
  if (loss.count == 0) return;
  util::log::warning(what + " of " + std::to_string(loss.count) + (loss.count == 1 ? " file" : " files") +
                     " could not be kept (" + util::escape(loss.reason) + "), the first is " +
                     util::quote("/" + loss.example));
}

// Without the place: inside `build` it is not where the image ends up.
void report(const layer::Report& report, std::size_t layers) {
  if (report.devices.count > 0) {
    util::log::warning(std::to_string(report.devices.count) +
                       (report.devices.count == 1 ? " device node was" : " device nodes were") +
                       " left out (" + util::escape(report.devices.reason) + "), the first is " +
                       util::quote("/" + report.devices.example));
  }
  warn_of(report.owners, "the owner");
  warn_of(report.xattrs, "extended attributes");
  util::log::info("unpacked " + std::to_string(layers) + (layers == 1 ? " layer, " : " layers, ") +
                  std::to_string(report.members) + (report.members == 1 ? " member, " : " members, ") +
                  util::human_size(report.bytes));
}

}  // namespace

std::string to_metadata(const image::Config& config) {
  using nlohmann::ordered_json;
  const auto list = [](const auto& strings) {
    return strings ? ordered_json(*strings) : ordered_json(nullptr);
  };
  return util::dump_json(ordered_json{{"env", config.env},
                                      {"user", config.user},
                                      {"entrypoint", list(config.entrypoint)},
                                      {"cmd", list(config.cmd)},
                                      {"workdir", config.working_dir}}) +
         "\n";
}

std::string to_labels(const image::Config& config) {
  return util::dump_json(nlohmann::json(config.labels)) + "\n";
}

void unpack(const image::Archive& archive, const image::Image& image, const fs::path& destination_path,
            const layer::ApplyOptions& options) {
  Destination destination(destination_path);
  const sys::WorkDir staging(destination.path(), staging_prefix);
  const auto rootfs = staging.path() / "rootfs";
  sys::make_directory(rootfs, 0755);
  auto root = sys::RootedDir::open(rootfs);
  const auto open_blob = [&](const image::Descriptor& blob) { return archive.open_blob(blob); };
  const auto done = layer::unpack(image, open_blob, archive.what(), root, options);
  sys::write_file(staging.path() / "metadata.json", to_metadata(image.config));
  sys::write_file(staging.path() / "labels.json", to_labels(image.config));
  sys::Cancellation().check();
  destination.publish(staging.path());
  report(done, image.layers.size());
}

void unpack_to_stdout(const image::Archive& archive, const image::Image& image,
                      const layer::ApplyOptions& options) {
  if (::isatty(STDOUT_FILENO) == 1)
    throw util::Error("stdout is a terminal: give the tar a file or a pipe", util::ExitCode::usage);
  const sys::WorkDir staging(sys::scratch_directory(), staging_prefix);
  auto root = sys::RootedDir::open(staging.path());
  const auto open_blob = [&](const image::Descriptor& blob) { return archive.open_blob(blob); };
  const auto done = layer::unpack(image, open_blob, archive.what(), root, options);
  const auto sink = stream::to_fd(STDOUT_FILENO, "stdout");
  write_tar(staging.path(), *sink);
  sink->finish();
  report(done, image.layers.size());
}

}  // namespace oci_unpack
