// From files to members.
#include "tools/oci-unpack/write_tar.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/tar/from_file.hpp"
#include "common/tar/writer.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace oci_unpack {
namespace {

// What takes less than its size says.
bool may_have_holes(const struct stat& status) {
  constexpr blkcnt_t unit = 512;
  return status.st_blocks < (status.st_size + unit - 1) / unit;
}

class TarOfTree {
public:
  TarOfTree(sys::RootedDir root, stream::Sink& sink)
      : root_(std::move(root)), writer_(sink), buffer_(256 << 10) {}

  void write() {
    add(sys::RootedPath(), "./");
    writer_.finish();
  }

private:
  // `name` is what the member is called.
  void add(const sys::RootedPath& path, const std::string& name) {
    cancel_.check();
    const auto status = root_.status(path);
    if (!status) throw util::Error(util::quote(name) + " vanished while it was read");
    if (S_ISSOCK(status->st_mode)) return;
    add_member(path, name, *status);
    if (!S_ISDIR(status->st_mode)) return;
    auto names = root_.list(path);
    std::sort(names.begin(), names.end());
    for (const auto& each : names) {
      const auto child = path.child(each);
      const auto found = root_.status(child);
      add(child, child.str() + (found && S_ISDIR(found->st_mode) ? "/" : ""));
    }
  }

  void add_member(const sys::RootedPath& path, const std::string& name, const struct stat& status) {
    auto entry = tar::entry_of(name, status);
    entry.xattrs = root_.xattrs(path);
    entry.xattrs.erase("security.selinux");  // a label of this machine
    if (entry.type == tar::Type::symlink) entry.link_target = root_.target_of(path);
    if (entry.type != tar::Type::directory && status.st_nlink > 1) {
      const auto [first, is_first] = links_.emplace(std::pair(status.st_dev, status.st_ino), name);
      if (!is_first) {
        entry.type = tar::Type::hard_link;
        entry.link_target = first->second;
        entry.xattrs.clear();
      }
    }
    entry.mtime.nanoseconds = static_cast<std::uint32_t>(status.st_mtim.tv_nsec);
    if (entry.type == tar::Type::regular && status.st_size > 0)
      return add_file(path, std::move(entry), status);
    writer_.add(entry);
  }

  void add_file(const sys::RootedPath& path, tar::Entry entry, const struct stat& status) {
    const auto what = util::quote(entry.path);
    const auto fd = root_.open_file(path);
    if (!fd) throw util::Error(what + " changed while it was read");
    entry.size = static_cast<std::uint64_t>(status.st_size);
    if (may_have_holes(status)) entry.sparse = tar::extents_of(fd.get(), entry.size);
    writer_.add(entry);
    const std::vector<tar::Extent> whole = {{0, entry.size}};
    for (const auto& extent : entry.sparse ? *entry.sparse : whole) {
      if (::lseek(fd.get(), static_cast<off_t>(extent.offset), SEEK_SET) < 0)
        util::throw_errno("cannot read " + what);
      tar::write_content(writer_, fd.get(), extent.size, what, buffer_, cancel_);
    }
  }

  const sys::Cancellation cancel_;
  sys::RootedDir root_;
  tar::Writer writer_;
  std::vector<std::byte> buffer_;
  std::map<std::pair<dev_t, ino_t>, std::string> links_;  // where the content of an inode stands
};

}  // namespace

void write_tar(const std::filesystem::path& rootfs, stream::Sink& sink) {
  TarOfTree(sys::RootedDir::open(rootfs), sink).write();
}

}  // namespace oci_unpack
