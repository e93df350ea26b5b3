// Archives in ADD.
#include "common/solver/unpack_archive.hpp"

#include <sys/sysmacros.h>

#include <vector>

#include "common/layer/kept_time.hpp"
#include "common/layer/member_path.hpp"
#include "common/solver/directories.hpp"
#include "common/stream/decompressed.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/tar/reader.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

class Unpacker {
public:
  Unpacker(sys::RootedDir& destination, const std::optional<sandbox::Owner>& owner,
           const sys::Cancellation& cancel)
      : root_(destination), owner_(owner), cancel_(cancel) {}

  void put(const tar::Entry& entry, tar::Reader& reader) {
    cancel_.check();
    const std::string name = layer::member_path(entry.path);
    if (name.empty()) return;  // metadata of an existing root stays
    const auto target = root_.find_or_make_parents(name);
    if (const auto there = root_.status(target)) {
      if (!S_ISDIR(there->st_mode) || entry.type != tar::Type::directory) root_.remove(target);
    }
    make(entry, target, reader);
    set_owner(*directory_target(root_), target,
              owner_.value_or(sandbox::Owner{id_of(entry.uid), id_of(entry.gid)}));
    const auto made = root_.status(target);
    if (!made) throw util::Error(util::quote("/" + target.str()) + " changed while it was unpacked");
    const bool is_symlink = S_ISLNK(made->st_mode);
    if (!is_symlink) root_.set_mode(target, entry.mode);
    for (const auto& [key, value] : entry.xattrs) {
      if (key.starts_with("trusted.")) continue;  // overlayfs hides what lies below by such marks
      [[maybe_unused]] const auto error =
          root_.set_xattr(target, key, value);  // as far as the filesystem takes it
    }
    const auto mtime = layer::kept_time({.tv_sec = entry.mtime.seconds, .tv_nsec = entry.mtime.nanoseconds});
    if (entry.type == tar::Type::directory) {
      directories_.emplace_back(target, mtime);
    } else if (entry.type != tar::Type::hard_link || !is_symlink) {
      root_.set_mtime(target, mtime);
    }
  }

  // Directories last: what came into them has changed their times.
  void finish() {
    for (const auto& [path, mtime] : directories_)
      root_.set_mtime(path, mtime);
  }

private:
  static std::uint32_t id_of(std::uint64_t id) {
    // The largest 32-bit number means "leave it" to chown(2).
    if (id >= UINT32_MAX) {
      throw util::Error("the archive has a file of the owner " + std::to_string(id) +
                        ", which Linux cannot have");
    }
    return static_cast<std::uint32_t>(id);
  }

  void make(const tar::Entry& entry, const sys::RootedPath& target, tar::Reader& reader) {
    switch (entry.type) {
      case tar::Type::directory:
        if (!root_.status(target)) root_.make_directory(target);
        break;
      case tar::Type::regular:
        write(root_.create_file(target), entry, reader);
        break;
      case tar::Type::symlink:
        root_.make_symlink(target, entry.link_target);
        break;
      case tar::Type::hard_link: {
        const auto existing = root_.find(entry.link_target);
        if (!existing || !root_.status(*existing)) {
          throw util::Error("the archive links to " + util::quote(entry.link_target) +
                            ", which it does not hold");
        }
        root_.make_hard_link(target, *existing);
        break;
      }
      case tar::Type::character_device:
        make_node(target, S_IFCHR, entry);
        break;
      case tar::Type::block_device:
        make_node(target, S_IFBLK, entry);
        break;
      case tar::Type::fifo:
        make_node(target, S_IFIFO, entry);
        break;
    }
  }

  void make_node(const sys::RootedPath& target, mode_t type, const tar::Entry& entry) {
    const auto device = ::makedev(entry.device_major, entry.device_minor);
    if (const auto error = root_.make_node(target, type, device)) {
      util::throw_errno("cannot make " + util::quote("/" + target.str()), error.value());
    }
  }

  void write(const sys::UniqueFd& fd, const tar::Entry& entry, tar::Reader& reader) {
    const std::string what = util::quote(entry.path);
    std::vector<tar::Extent> extents = entry.sparse.value_or(std::vector<tar::Extent>{{0, entry.size}});
    for (const auto& extent : extents) {
      if (::lseek(fd.get(), static_cast<off_t>(extent.offset), SEEK_SET) < 0)
        util::throw_errno("cannot write " + what);
      for (std::uint64_t left = extent.size; left > 0;) {
        cancel_.check();
        const std::size_t wanted = std::min<std::uint64_t>(left, buffer_.size());
        const std::size_t count = reader.read(std::span(buffer_).first(wanted));
        if (count == 0) break;
        sys::write_all(fd.get(), std::span<const std::byte>(buffer_).first(count), what);
        left -= count;
      }
    }
    if (entry.sparse && ::ftruncate(fd.get(), static_cast<off_t>(entry.size)) != 0) {
      util::throw_errno("cannot write " + what);
    }
  }

  sys::RootedDir& root_;
  const std::optional<sandbox::Owner>& owner_;
  const sys::Cancellation& cancel_;
  std::vector<std::pair<sys::RootedPath, timespec>> directories_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(128 << 10);
};

}  // namespace

bool unpack_archive(SourceTree& tree, const std::string& path, sys::RootedDir& root,
                    const std::string& destination, const std::optional<sandbox::Owner>& owner,
                    const sys::Cancellation& cancel) {
  const auto status = tree.status(path);
  if (!status || !S_ISREG(status->st_mode)) return false;
  const std::string what = util::quote("/" + path);
  const auto content = stream::decompressed(stream::from_fd(tree.open(path), what), what);
  tar::Reader reader(*content, what);
  tar::Entry entry;
  // What is no archive shows at its first header.
  try {
    if (!reader.next(entry)) return false;
  } catch (const util::Error& error) {
    if (!error.is_damage() && error.cause().kind != util::Cause::Kind::refused) throw;
    return false;
  }
  // Links in the archive mean what they mean with the destination as the root.
  const auto directory =
      make_directories(*directory_target(root), destination, default_directory_mode, owner);
  auto inside = root.inside(directory);
  Unpacker unpacker(inside, owner, cancel);
  do {
    unpacker.put(entry, reader);
  } while (reader.next(entry));
  unpacker.finish();
  return true;
}

}  // namespace solver
