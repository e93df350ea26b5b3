// The tree of a draft.
#include "common/solver/draft.hpp"

#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

timespec now() {
  timespec time;
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

// Calls `step` with each component until it gives false.
template <typename Step>
void for_each_component(std::string_view path, const Step& step) {
  for (std::size_t begin = 0; begin < path.size();) {
    const auto slash = path.find('/', begin);
    const auto end = slash == path.npos ? path.size() : slash;
    if (!step(path.substr(begin, end - begin), path.substr(0, end))) return;
    begin = end + 1;
  }
}

}  // namespace

Draft::Draft(std::unique_ptr<snapshot::Workspace> below) : below_workspace_(std::move(below)) {
  if (below_workspace_) below_ = sys::RootedDir::open(below_workspace_->root());
  auto& root = names_.root().value;
  root.file = 0;
  files_.emplace_back();
  if (const auto status = status_below("")) {
    files_.back().status = CompactStatus::of(*status);
  } else {
    files_.back().status.mode = S_IFDIR | 0755;
    root.hides_below = true;
  }
}

Draft::Place Draft::find(const std::string& path) {
  Place place{.node = &names_.root(), .shows_below = !names_.root().value.hides_below};
  for_each_component(path, [&](std::string_view name, std::string_view) {
    place.node = names_.child(*place.node, name);
    if (place.node == nullptr) return false;
    if (place.node->value.file == removed || place.node->value.hides_below) place.shows_below = false;
    return true;
  });
  return place;
}

Draft::Node* Draft::find(const std::string& path) const {
  return const_cast<Draft*>(this)->find(path).node;
}

std::optional<struct stat> Draft::status_below(const std::string& path) {
  if (!below_) return std::nullopt;
  const auto place = below_->find(path);
  // A symlink on the way would lead elsewhere: then nothing has this very name.
  if (!place || place->str() != path) return std::nullopt;
  return below_->status(*place);
}

std::optional<struct stat> Draft::status_of(const std::string& path) {
  const auto place = find(path);
  if (place.node == nullptr) return place.shows_below ? status_below(path) : std::nullopt;
  if (place.node->value.file == removed) return std::nullopt;
  return files_[place.node->value.file].status.whole();
}

std::string Draft::target_of(const sys::RootedPath& symlink) {
  const auto place = find(symlink.str());
  return place.node != nullptr ? read_link(symlink.str()) : below_->target_of(symlink);
}

// The node at `path`; it and the directories above it come into the draft as they are below.
Draft::Node& Draft::take_over(const sys::RootedPath& path) {
  Node* node = &names_.root();
  for_each_component(path.str(), [&](std::string_view name, std::string_view here) {
    auto* child = names_.child(*node, name);
    if (child == nullptr) {
      const auto status = status_below(std::string(here));
      if (!status)
        throw util::Error("cannot change " + util::quote("/" + std::string(here)) + ": it is not there");
      child = &names_.add(*node, name);
      child->value.file = static_cast<std::uint32_t>(files_.size());
      files_.emplace_back().status = CompactStatus::of(*status);
    }
    node = child;
    return true;
  });
  return *node;
}

Draft::Rare& Draft::rare(File& file) {
  if (!file.rare) file.rare = std::make_unique<Rare>();
  return *file.rare;
}

// A new one that has no name yet.
std::uint32_t Draft::new_file(const sys::RootedPath& path, mode_t mode) {
  const auto parent = status(path.parent());
  const auto number = static_cast<std::uint32_t>(files_.size());
  auto& status = files_.emplace_back().status;
  status.inode = number;
  status.links = 1;
  status.mode = mode;
  status.uid = 0;  // whoever builds
  status.gid = parent && (parent->st_mode & S_ISGID) != 0 ? parent->st_gid : 0;
  status.set_time(now());
  return number;
}

void Draft::add(const sys::RootedPath& path, std::uint32_t file) {
  if (status(path)) throw util::Error("cannot create " + util::quote("/" + path.str()) + ": File exists");
  auto& parent = take_over(path.parent());
  files_[parent.value.file].status.set_time(now());
  auto* node = names_.child(parent, path.name());
  if (node == nullptr) node = &names_.add(parent, path.name());
  node->value = {.file = file, .hides_below = true};
}

void Draft::make_directory(const sys::RootedPath& path) {
  add(path, new_file(path, S_IFDIR | 0700));
}

void Draft::make_symlink(const sys::RootedPath& path, const std::string& target) {
  const auto made = new_file(path, S_IFLNK | 0777);
  rare(files_[made]).link = target;
  files_[made].status.size = static_cast<off_t>(target.size());
  add(path, made);
}

void Draft::make_hard_link(const sys::RootedPath& path, const sys::RootedPath& existing) {
  const auto linked = take_over(existing).value.file;
  add(path, linked);
  ++files_[linked].status.links;
}

std::error_code Draft::make_node(const sys::RootedPath& path, mode_t type, dev_t device) {
  // That would be a whiteout, which no overlay lets anybody make.
  if (below_ && type == S_IFCHR && device == 0) return {EPERM, std::generic_category()};
  const auto made = new_file(path, type | 0600);
  files_[made].status.node = device;
  add(path, made);
  return {};
}

void Draft::copy_file(const sys::RootedPath& path, const std::shared_ptr<SourceTree>& source,
                      const std::string& from, const struct stat& status, const sys::Cancellation&) {
  const auto made = new_file(path, S_IFREG | 0600);
  if (sources_.empty() || sources_.back() != source) sources_.push_back(source);
  auto& file = files_[made];
  file.status.size = status.st_size;
  file.source = static_cast<std::uint32_t>(sources_.size() - 1);
  file.source_path_at = source_paths_.size();
  file.source_path_length = static_cast<std::uint32_t>(from.size());
  source_paths_ += from;
  add(path, made);
}

void Draft::remove(const sys::RootedPath& path) {
  auto& parent = take_over(path.parent());
  if (auto* child = names_.child(parent, path.name()); child != nullptr) {
    if (child->value.file != removed) --files_[child->value.file].status.links;
    names_.erase(*child);
  }
  files_[parent.value.file].status.set_time(now());
  // With no node of its own the name shows what lies below.
  if (status(path)) names_.add(parent, path.name());
}

std::error_code Draft::set_owner(const sys::RootedPath& path, uid_t uid, gid_t gid) {
  auto& changed = file(path);
  changed.status.uid = uid;
  changed.status.gid = gid;
  if (changed.rare) changed.rare->capability.clear();
  return {};
}

void Draft::set_mode(const sys::RootedPath& path, mode_t mode) {
  auto& status = file(path).status;
  status.mode = (status.mode & S_IFMT) | mode;
}

void Draft::set_xattr(const sys::RootedPath& path, const std::string& name, std::string_view value) {
  if (name == "security.capability") {
    rare(file(path)).capability = value;
  } else if (!name.starts_with("security.")) {
    rare(file(path)).has_more_attributes = true;
  }
}

void Draft::set_mtime(const sys::RootedPath& path, timespec mtime) {
  file(path).status.set_time(mtime);
}

std::vector<std::string> Draft::list(const std::string& directory) const {
  std::vector<std::string> names;
  names_.for_each_child(*find(directory),
                        [&](std::string_view name, const Node&) { names.emplace_back(name); });
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<struct stat> Draft::status(const std::string& path) const {
  const auto* node = find(path);
  if (node == nullptr) return std::nullopt;
  if (node->value.file != removed) return files_[node->value.file].status.whole();
  struct stat whiteout {};
  whiteout.st_mode = S_IFCHR;
  whiteout.st_rdev = ::makedev(0, 0);
  return whiteout;
}

std::string Draft::read_link(const std::string& path) const {
  const auto& file = file_at(path);
  return file.rare ? file.rare->link : "";
}

std::string Draft::capability(const std::string& path) const {
  const auto& file = file_at(path);
  return file.rare ? file.rare->capability : "";
}

bool Draft::has_more_attributes(const std::string& path) const {
  const auto& file = file_at(path);
  return file.rare && file.rare->has_more_attributes;
}

bool Draft::is_opaque(const std::string& directory) const {
  return find(directory)->value.hides_below;
}

sys::UniqueFd Draft::open(const std::string& path) const {
  const auto& file = file_at(path);
  if (file.source == no_source) throw util::Error(util::quote(path) + " has no content");
  return sources_[file.source]->open(source_paths_.substr(file.source_path_at, file.source_path_length));
}

}  // namespace solver
