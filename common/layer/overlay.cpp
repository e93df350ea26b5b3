// Layers as trees of their own that lie over each other: Reading::overlay. The lowest is made in its place,
// each other one beside it first and then moved over it, name by name, as overlayfs would show the two.
#include <sys/random.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <string>

#include "common/layer/apply.hpp"
#include "common/layer/whiteout.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace layer {
namespace {

constexpr std::string_view selinux_attribute = "security.selinux";  // the machine's own affair

// Where a layer stands alone, in the root. Whoever made the layer could have any name in it but this one.
std::string staging_name() {
  std::array<std::uint64_t, 2> random{};
  if (::getrandom(random.data(), sizeof random, 0) != sizeof random)
    util::throw_errno("cannot get random bytes");
  return ".wh..wh." + std::to_string(random[0]) + std::to_string(random[1]);
}

bool is_whiteout_device(const tar::Entry& entry) {
  return entry.type == tar::Type::character_device && entry.device_major == 0 && entry.device_minor == 0;
}

}  // namespace

void Applier::apply_overlay_member(const tar::Entry& entry, tar::Reader& reader, const std::string& path) {
  if (path.empty()) return;
  const auto slash = path.rfind('/');
  const auto whiteout = parse_whiteout(slash == std::string::npos ? path : path.substr(slash + 1));
  if (whiteout.kind == Whiteout::Kind::none && !is_whiteout_device(entry))
    return apply_member(entry, reader, path);
  // Its parents are made, whatever it hides.
  const auto place = root_.find_or_make_parents(path);
  if (whiteout.kind == Whiteout::Kind::none) {
    if (root_.status(place)) members_.remove(place);
    if (upper_) add_marker(place);
  } else if (whiteout.kind == Whiteout::Kind::opaque) {
    if (upper_ && !root_.status(place)) add_marker(place);
  } else if (whiteout.kind == Whiteout::Kind::name) {
    const auto hidden = place.parent().child(whiteout.hidden);
    if (!upper_) {
      members_.remove(hidden);
    } else if (root_.status(hidden)) {
      throw util::Error("the whiteout " + util::quote("/" + path) + " hides what its own layer brings");
    } else {
      add_marker(hidden);
    }
  }
}

void Applier::add_marker(const sys::RootedPath& place) {
  if (const auto error = root_.make_node(place, S_IFSOCK, 0))
    util::throw_errno("cannot create " + util::quote("/" + place.str()), error.value());
  upper_->marked.insert_with_parents(place.parent().str());
}

void Applier::apply_over_others(stream::Source& archive, const std::string& what) {
  const auto staging = sys::RootedPath().child(staging_name());
  root_.make_directory(staging);
  auto alone = root_.inside(staging);
  Applier upper(alone, options_);
  upper.upper_.emplace();
  upper.members_.set_losses(members_.losses());
  upper.count_ = count_;
  upper.bytes_ = bytes_;
  upper.archive_left_ = archive_left_;
  upper.read_members(archive, what);
  alone.settle();
  members_.set_losses(upper.members_.losses());
  count_ = upper.count_;
  bytes_ = upper.bytes_;
  archive_left_ = upper.archive_left_;
  merge(upper, sys::RootedPath());
  root_.remove(staging);
  members_.adopt_modes(upper.members_);
}

void Applier::merge(Applier& upper, const sys::RootedPath& directory) {
  for (const auto& name : upper.root_.list(directory)) {
    options_.cancel.check();
    const auto place = directory.child(name);
    const auto status = upper.root_.status(place);
    const auto below = root_.status(place);
    if (S_ISSOCK(status->st_mode)) {
      if (name != opaque_marker && below) members_.remove(place);
      continue;
    }
    if (S_ISDIR(status->st_mode) && below && S_ISDIR(below->st_mode)) {
      merge_directory(upper, place);
      continue;
    }
    if (below) members_.remove(place);
    root_.move(place, upper.root_, place);
    if (S_ISDIR(status->st_mode)) drop_markers(upper, place);
  }
}

void Applier::merge_directory(Applier& upper, const sys::RootedPath& place) {
  const auto status = upper.root_.status(place);
  if (const auto marker = upper.root_.status(place.child(opaque_marker));
      marker && S_ISSOCK(marker->st_mode)) {
    for (const auto& name : root_.list(place))
      members_.remove(place.child(name));
  }
  const bool described = upper.upper_->described.contains(place.str());
  const auto attributes = upper.root_.xattrs(place);
  merge(upper, place);
  // New is a directory that the layer only goes through, too.
  if (!described) return root_.set_mtime(place, status->st_mtim);
  for (const auto& name : root_.list_xattrs(place)) {
    if (!attributes.contains(name) && name != selinux_attribute) [[maybe_unused]]
      const auto error = root_.remove_xattr(place, name);
  }
  // What is refused here was refused there, and counted.
  [[maybe_unused]] const auto refused = root_.set_owner(place, status->st_uid, status->st_gid);
  for (const auto& [name, value] : attributes)
    [[maybe_unused]] const auto error = root_.set_xattr(place, name, value);
  members_.set_directory_mode(place, status->st_mode & 07777);
  root_.set_mtime(place, status->st_mtim);
}

void Applier::drop_markers(const Applier& upper, const sys::RootedPath& directory) {
  if (!upper.upper_->marked.contains(directory.str())) return;
  for (const auto& name : root_.list(directory)) {
    const auto place = directory.child(name);
    const auto status = root_.status(place);
    if (S_ISSOCK(status->st_mode)) {
      root_.remove(place);
    } else if (S_ISDIR(status->st_mode)) {
      drop_markers(upper, place);
    }
  }
}

}  // namespace layer
