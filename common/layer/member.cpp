// Members as files, whoever asks.
#include "common/layer/member.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <limits>
#include <span>

#include "common/layer/kept_time.hpp"
#include "common/sys/fd.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace layer {
namespace {

constexpr std::string_view trusted_prefix = "trusted.";
constexpr std::string_view selinux_name = "security.selinux";  // the machine's own affair
constexpr std::size_t buffer_size = 256 << 10;

std::string shown(const sys::RootedPath& place) {
  return util::quote("/" + place.str());
}

void note(Loss& loss, const sys::RootedPath& place, const std::string& reason) {
  if (loss.count++ > 0) return;
  loss.example = place.str();
  loss.reason = reason;
}

void note(Loss& loss, const sys::RootedPath& place, const std::error_code& error) {
  note(loss, place, error.message());
}

// The rest means that the disk is full or broken, not that we may not.
bool is_refusal(const std::error_code& error) {
  return error != std::errc::no_space_on_device && error.value() != EDQUOT && error != std::errc::io_error &&
         error != std::errc::not_enough_memory && error != std::errc::read_only_file_system;
}

uid_t id_of(std::uint64_t id, const char* kind, const sys::RootedPath& place) {
  // The largest 32-bit number means "leave it" to chown(2).
  if (id >= std::numeric_limits<uid_t>::max()) {
    throw util::Error(shown(place) + " has the " + kind + " " + std::to_string(id) +
                      ", which Linux cannot have");
  }
  return static_cast<uid_t>(id);
}

void write_all_at(int fd, std::span<const std::byte> data, std::uint64_t offset, const std::string& what) {
  while (!data.empty()) {
    const ssize_t count = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (count >= 0) {
      data = data.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    } else if (errno != EINTR) {
      util::throw_errno("cannot write " + what);
    }
  }
}

// CAP_DAC_OVERRIDE. Not "are we root": containers take it away from root.
bool overrides_permissions() {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  return (data[CAP_TO_INDEX(CAP_DAC_OVERRIDE)].effective & CAP_TO_MASK(CAP_DAC_OVERRIDE)) != 0;
}

}  // namespace

MemberWriter::MemberWriter(sys::RootedDir& root, const MemberPolicy& policy, sys::Cancellation cancel,
                           std::optional<MemberOwner> owner)
    : root_(root),
      policy_(policy),
      cancel_(std::move(cancel)),
      owner_(owner),
      unrestricted_(overrides_permissions()),
      buffer_(buffer_size) {}

void MemberWriter::put(const tar::Entry& entry, tar::Reader& reader, const sys::RootedPath& place) {
  cancel_.check();
  const auto status = root_.status(place);
  const bool directory = entry.type == tar::Type::directory;
  const bool waits = entry.type == tar::Type::hard_link && policy_.replaced == MemberPolicy::Replaced::last;
  const bool stays = waits || (directory && status && S_ISDIR(status->st_mode));
  if (status && !stays) remove(place);
  switch (entry.type) {
    case tar::Type::directory:
      return make_directory(entry, place, stays);
    case tar::Type::regular:
      return make_file(entry, reader, place);
    case tar::Type::hard_link:
      return make_hard_link(entry, place, status && stays);
    case tar::Type::symlink:
      root_.make_symlink(place, entry.link_target);
      set_owner_and_xattrs(entry, place);
      return root_.set_mtime(place, time_of(entry));
    case tar::Type::character_device:
    case tar::Type::block_device:
    case tar::Type::fifo:
      return make_node(entry, place);
  }
  assert(false);
}

void MemberWriter::make_directory(const tar::Entry& entry, const sys::RootedPath& place, bool there) {
  const bool described = policy_.directories == MemberPolicy::Directories::as_described;
  if (!there) {
    root_.make_directory(place);
  } else if (described) {
    drop_other_xattrs(entry, place);
  }
  set_owner_and_xattrs(entry, place);
  set_directory_mode(place, entry.mode);
  if (described) {
    root_.set_mtime(place, time_of(entry));
  } else {
    late_times_.emplace_back(place, time_of(entry));
  }
}

void MemberWriter::set_directory_mode(const sys::RootedPath& place, mode_t mode) {
  late_modes_.erase(place.str());
  const bool open_to_us = unrestricted_ || (mode & S_IRWXU) == S_IRWXU;
  if (!open_to_us) late_modes_.emplace(place.str(), std::pair(place, mode));
  root_.set_mode(place, open_to_us ? mode : mode | S_IRWXU);
}

void MemberWriter::drop_other_xattrs(const tar::Entry& entry, const sys::RootedPath& place) {
  for (const auto& name : root_.list_xattrs(place)) {
    if (entry.xattrs.contains(name) || name == selinux_name) continue;
    if (const auto error = root_.remove_xattr(place, name)) note(losses_.xattrs, place, error);
  }
}

void MemberWriter::make_hard_link(const tar::Entry& entry, const sys::RootedPath& place, bool there) {
  const auto target = root_.find(entry.link_target);
  const auto status = target ? root_.status(*target) : std::nullopt;
  const bool is_mark = status && policy_.stands_alone && S_ISSOCK(status->st_mode);
  if (!status || is_mark || S_ISDIR(status->st_mode)) {
    if (target && missing_devices_.contains(target->str())) {
      if (there) remove(place);
      missing_devices_.insert(place.str());
      return note(losses_.devices, place, losses_.devices.reason);
    }
    throw util::Error("the hard link " + shown(place) + " points at " + util::quote(entry.link_target) +
                      (status && S_ISDIR(status->st_mode) ? ", which is a directory"
                       : policy_.stands_alone             ? ", which its layer does not bring"
                                                          : ", which is not there"));
  }
  if (*target == place) return;  // would remove what it links to
  if (there) remove(place);
  root_.make_hard_link(place, *target);
  if (policy_.links == MemberPolicy::Links::names) return;
  set_owner_and_xattrs(entry, place);
  const bool is_symlink = S_ISLNK(status->st_mode);
  if (!is_symlink) root_.set_mode(place, entry.mode);
  if (!is_symlink || policy_.times_of_linked_symlinks) root_.set_mtime(place, time_of(entry));
}

void MemberWriter::make_node(const tar::Entry& entry, const sys::RootedPath& place) {
  mode_t type = S_IFIFO;
  dev_t device = 0;
  if (entry.type != tar::Type::fifo) {
    // mknod(2) would cut larger ones off and make some other device.
    if (entry.device_major >= 1u << 12 || entry.device_minor >= 1u << 20) {
      throw util::Error("the device " + shown(place) + " has the number " +
                        std::to_string(entry.device_major) + ":" + std::to_string(entry.device_minor) +
                        ", which Linux cannot have");
    }
    type = entry.type == tar::Type::block_device ? S_IFBLK : S_IFCHR;
    device = ::makedev(entry.device_major, entry.device_minor);
  }
  if (const auto error = root_.make_node(place, type, device)) {
    const bool is_loss = type != S_IFIFO && error == std::errc::operation_not_permitted &&
                         policy_.refused == MemberPolicy::Refused::counted;
    if (!is_loss) {
      util::throw_errno("cannot create " + shown(place), error.value());
    }
    missing_devices_.insert(place.str());
    return note(losses_.devices, place, error);
  }
  if (type != S_IFIFO && root_.is_mark(place)) ++losses_.marks;
  set_owner_and_xattrs(entry, place);
  root_.set_mode(place, entry.mode);
  root_.set_mtime(place, time_of(entry));
}

void MemberWriter::set_owner_and_xattrs(const tar::Entry& entry, const sys::RootedPath& place) {
  const auto owner =
      owner_ ? *owner_ : MemberOwner{id_of(entry.uid, "uid", place), id_of(entry.gid, "gid", place)};
  const auto error = root_.set_owner(place, owner.uid, owner.gid);
  if (error && (policy_.refused == MemberPolicy::Refused::error || !is_refusal(error)))
    util::throw_errno("cannot set the owner of " + shown(place), error.value());
  if (error) note(losses_.owners, place, error);
  for (const auto& [name, value] : entry.xattrs) {
    if (name.starts_with(trusted_prefix)) {
      note(losses_.xattrs, place, name + " is left to the machine");
      continue;
    }
    const auto refused = root_.set_xattr(place, name, value);
    if (refused && !is_refusal(refused))
      util::throw_errno("cannot set attributes of " + shown(place), refused.value());
    if (refused) note(losses_.xattrs, place, refused);
  }
}

void MemberWriter::make_file(const tar::Entry& entry, tar::Reader& reader, const sys::RootedPath& place) {
  auto file = root_.create_file(place);
  const std::string what = shown(place);
  write_content(file.get(), entry, reader, what);
  set_owner_and_xattrs(entry, place);
  // After the owner, whose change takes setuid away.
  root_.set_mode(place, file.get(), entry.mode);
  const timespec times[2] = {time_of(entry), time_of(entry)};
  if (::futimens(file.get(), times) != 0) util::throw_errno("cannot set the time of " + what);
  sys::close_checked(std::move(file), what);
}

void MemberWriter::write_content(int fd, const tar::Entry& entry, tar::Reader& reader,
                                 const std::string& what) {
  if (!entry.sparse) {
    while (const std::size_t count = reader.read(buffer_)) {
      cancel_.check();
      sys::write_all(fd, std::span(buffer_).first(count), what);
    }
    return;
  }
  if (::ftruncate(fd, static_cast<off_t>(entry.size)) != 0) util::throw_errno("cannot write " + what);
  for (const auto& extent : *entry.sparse) {
    for (std::uint64_t done = 0; done < extent.size;) {
      cancel_.check();
      const std::size_t wanted = std::min<std::uint64_t>(buffer_.size(), extent.size - done);
      const std::size_t count = reader.read(std::span(buffer_).first(wanted));
      write_all_at(fd, std::span(buffer_).first(count), extent.offset + done, what);
      done += count;
    }
  }
}

void MemberWriter::remove(const sys::RootedPath& place) {
  root_.remove(place);
  late_modes_.erase(place.str());
  late_modes_.erase(late_modes_.lower_bound(place.str() + '/'),
                    late_modes_.lower_bound(place.str() + char('/' + 1)));
}

void MemberWriter::adopt_modes(const MemberWriter& other) {
  for (const auto& [path, late] : other.late_modes_)
    late_modes_.insert_or_assign(path, late);
}

void MemberWriter::finish() {
  root_.settle();
  for (const auto& [directory, time] : late_times_)
    root_.set_mtime(directory, time);
  late_times_.clear();
  // Children first: behind a directory that keeps us out nothing can be changed any more.
  for (auto late = late_modes_.rbegin(); late != late_modes_.rend(); ++late)
    root_.set_mode(late->second.first, late->second.second);
  late_modes_.clear();
}

timespec MemberWriter::time_of(const tar::Entry& entry) const {
  const timespec time = {.tv_sec = entry.mtime.seconds, .tv_nsec = entry.mtime.nanoseconds};
  return policy_.keeps_all_times ? time : kept_time(time);
}

}  // namespace layer
