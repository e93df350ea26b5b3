// Output directories.
#include "common/engine/pending_image.hpp"

#include <unistd.h>

#include <cerrno>

#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace engine {
namespace {

constexpr auto archive_name = "image.tar";
constexpr auto layout_name = "image";
constexpr auto pending_prefix = ".oci-image-";

// What people may do with the layout's directory; a temporary one is for its owner alone.
constexpr mode_t layout_mode = 0755;

}  // namespace

PendingImage::PendingImage(const std::filesystem::path& output, document::OutputFormat format)
    : output_(output) {
  if (format == document::OutputFormat::docker) {
    file_.emplace(output, pending_prefix);
  } else {
    directory_.emplace(output, pending_prefix);
  }
}

const std::filesystem::path& PendingImage::destination() const {
  return file_ ? file_->path() : directory_->path();
}

std::filesystem::path PendingImage::commit() {
  // First: an image without its digests misleads nobody. A directory of such a name is none of ours.
  for (const auto* digest : {"digest", "manifest-digest"}) {
    const auto path = output_ / digest;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT && errno != EISDIR)
      util::throw_errno("cannot remove " + util::quote(path.string()));
  }
  if (file_) {
    file_->commit(output_ / archive_name);
    sys::remove_tree(output_ / layout_name);
    return output_ / archive_name;
  }
  sys::set_mode(directory_->path(), layout_mode);
  sys::replace_directory(directory_->path(), output_ / layout_name);
  sys::remove_tree(output_ / archive_name);
  return output_ / layout_name;
}

}  // namespace engine
