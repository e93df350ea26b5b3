// Collects what an image consists of and puts it in place, several blobs at a time.
#include "common/image/layout_writer.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>

#include "common/image/place_blob.hpp"
#include "common/sys/file.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/sys/thread.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace image {
namespace {

void make_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0755) != 0) util::throw_errno("cannot create " + util::quote(path.string()));
}

std::string name_of(const Archive& archive, const Descriptor& descriptor) {
  return archive.what() + ": blob " + descriptor.digest.str();
}

}  // namespace

LayoutWriter::LayoutWriter(std::filesystem::path directory) : directory_(std::move(directory)) {
  make_directory(directory_);
  make_directory(directory_ / "blobs");
  make_directory(directory_ / "blobs/sha256");
}

LayoutWriter::~LayoutWriter() {
  if (committed_) return;
  try {
    sys::remove_tree(directory_);
  } catch (const util::Error& error) {
    util::log::warning(error.what());
  }
}

std::filesystem::path LayoutWriter::path_of(const hash::Digest& digest) const {
  return directory_ / blob_name(digest);
}

Descriptor LayoutWriter::add(const Archive& archive, const std::string& name) {
  const auto contents = contents_of(archive);
  std::vector<Descriptor> blobs;
  const auto take = [&](const Descriptor& blob) {
    if (!known_.insert(blob.digest).second) return;
    if (const auto made = contents.made.find(blob.digest); made != contents.made.end()) {
      sys::write_file(path_of(blob.digest), made->second);
    } else {
      blobs.push_back(blob);
    }
  };
  std::for_each(contents.blobs.begin(), contents.blobs.end(), take);
  std::for_each(contents.manifests.begin(), contents.manifests.end(), take);
  place(archive, std::move(blobs));
  auto entry = contents.root;
  entry.annotations = {{annotation::ref_name, name}};
  entries_.push_back(entry);
  return entry;
}

// How many bytes were copied.
std::uint64_t LayoutWriter::place(const Archive& archive, const Descriptor& blob) const {
  // Found anew here, so that no more files are open than are being read.
  const auto location = archive.find(blob);
  if (!location) throw util::Error(name_of(archive, blob) + " is missing");
  const auto placement = place_blob(*location, blob.digest, path_of(blob.digest), name_of(archive, blob));
  return placement == Placement::copied ? location->size : 0;
}

void LayoutWriter::place(const Archive& archive, std::vector<Descriptor> blobs) {
  // The largest first, so that no thread is left with it at the end.
  std::sort(blobs.begin(), blobs.end(),
            [](const Descriptor& a, const Descriptor& b) { return a.size > b.size; });
  std::atomic<std::uint64_t> copied = 0;
  sys::share_work(blobs.size(), sys::processor_count(),
                  [&](std::size_t number, const auto&) { copied += place(archive, blobs[number]); });
  copied_ += copied;
}

void LayoutWriter::commit() {
  sys::write_file(directory_ / "oci-layout", layout_marker);
  sys::write_file(directory_ / "index.json", to_json(Index{std::string(media_type::oci_index), entries_}));
  committed_ = true;
}

}  // namespace image
