// The tree of a draft.
#include "common/solver/draft.hpp"

#include <sys/sysmacros.h>

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
void for_each_component(const std::string& path, const Step& step) {
  for (std::size_t begin = 0; begin < path.size();) {
    const auto slash = path.find('/', begin);
    const auto end = slash == std::string::npos ? path.size() : slash;
    if (!step(path.substr(begin, end - begin), path.substr(0, end))) return;
    begin = end + 1;
  }
}

}  // namespace

Draft::Draft(std::unique_ptr<snapshot::Workspace> below) : below_workspace_(std::move(below)) {
  if (below_workspace_) below_ = sys::RootedDir::open(below_workspace_->root());
  root_.file = std::make_shared<File>();
  if (const auto status = status_below("")) {
    root_.file->status = *status;
  } else {
    root_.file->status.st_mode = S_IFDIR | 0755;
    root_.hides_below = true;
  }
}

Draft::Place Draft::find(const std::string& path) {
  Place place{.node = &root_, .shows_below = !root_.hides_below};
  for_each_component(path, [&](const std::string& name, const std::string&) {
    const auto child = place.node->children.find(name);
    if (child == place.node->children.end()) {
      place.node = nullptr;
      return false;
    }
    place.node = &child->second;
    if (!place.node->file || place.node->hides_below) place.shows_below = false;
    return true;
  });
  return place;
}

const Draft::Node* Draft::find(const std::string& path) const {
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
  if (place.node != nullptr) return place.node->file ? std::optional(place.node->file->status) : std::nullopt;
  return place.shows_below ? status_below(path) : std::nullopt;
}

std::string Draft::target_of(const sys::RootedPath& symlink) {
  const auto place = find(symlink.str());
  return place.node != nullptr ? place.node->file->link : below_->target_of(symlink);
}

// The node at `path`; it and the directories above it come into the draft as they are below.
Draft::Node& Draft::take_over(const sys::RootedPath& path) {
  Node* node = &root_;
  for_each_component(path.str(), [&](const std::string& name, const std::string& here) {
    const auto [child, is_new] = node->children.try_emplace(name);
    node = &child->second;
    if (is_new) {
      const auto status = status_below(here);
      if (!status) throw util::Error("cannot change " + util::quote("/" + here) + ": it is not there");
      node->file = std::make_shared<File>();
      node->file->status = *status;
    }
    return true;
  });
  return *node;
}

std::shared_ptr<Draft::File> Draft::new_file(const sys::RootedPath& path, mode_t mode) {
  const auto parent = status(path.parent());
  auto file = std::make_shared<File>();
  file->status.st_ino = ++last_inode_;
  file->status.st_nlink = 1;
  file->status.st_mode = mode;
  file->status.st_uid = uid_;
  file->status.st_gid = parent && (parent->st_mode & S_ISGID) != 0 ? parent->st_gid : gid_;
  file->status.st_mtim = now();
  return file;
}

Draft::Node& Draft::add(const sys::RootedPath& path, std::shared_ptr<File> file) {
  if (status(path)) throw util::Error("cannot create " + util::quote("/" + path.str()) + ": File exists");
  auto& parent = take_over(path.parent());
  parent.file->status.st_mtim = now();
  auto& node = parent.children[std::string(path.name())];
  node.file = std::move(file);
  node.hides_below = true;
  return node;
}

void Draft::make_directory(const sys::RootedPath& path) {
  add(path, new_file(path, S_IFDIR | 0700));
}

void Draft::make_symlink(const sys::RootedPath& path, const std::string& target) {
  auto file = new_file(path, S_IFLNK | 0777);
  file->link = target;
  file->status.st_size = static_cast<off_t>(target.size());
  add(path, std::move(file));
}

void Draft::make_hard_link(const sys::RootedPath& path, const sys::RootedPath& existing) {
  auto file = take_over(existing).file;
  add(path, file);
  ++file->status.st_nlink;
}

std::error_code Draft::make_node(const sys::RootedPath& path, mode_t type, dev_t device) {
  // That would be a whiteout, which no overlay lets anybody make.
  if (below_ && type == S_IFCHR && device == 0) return {EPERM, std::generic_category()};
  auto file = new_file(path, type | 0600);
  file->status.st_rdev = device;
  add(path, std::move(file));
  return {};
}

void Draft::copy_file(const sys::RootedPath& path, const std::shared_ptr<SourceTree>& source,
                      const std::string& from, const struct stat& status, const sys::Cancellation&) {
  auto file = new_file(path, S_IFREG | 0600);
  file->status.st_size = status.st_size;
  file->source = source;
  file->source_path = from;
  add(path, std::move(file));
}

void Draft::remove(const sys::RootedPath& path) {
  auto& parent = take_over(path.parent());
  const std::string name(path.name());
  if (const auto child = parent.children.find(name); child != parent.children.end()) {
    if (child->second.file) --child->second.file->status.st_nlink;
    parent.children.erase(child);
  }
  parent.file->status.st_mtim = now();
  // With no node of its own the name shows what lies below.
  if (status(path)) parent.children.try_emplace(name);
}

std::error_code Draft::set_owner(const sys::RootedPath& path, uid_t uid, gid_t gid) {
  auto& changed = file(path);
  changed.status.st_uid = uid;
  changed.status.st_gid = gid;
  changed.capability.clear();
  return {};
}

void Draft::set_mode(const sys::RootedPath& path, mode_t mode) {
  auto& status = file(path).status;
  status.st_mode = (status.st_mode & S_IFMT) | mode;
}

void Draft::set_xattr(const sys::RootedPath& path, const std::string& name, std::string_view value) {
  if (name == "security.capability") {
    file(path).capability = value;
  } else if (!name.starts_with("security.")) {
    file(path).has_more_attributes = true;
  }
}

void Draft::set_mtime(const sys::RootedPath& path, timespec mtime) {
  file(path).status.st_mtim = mtime;
}

std::vector<std::string> Draft::list(const std::string& directory) const {
  std::vector<std::string> names;
  for (const auto& [name, node] : find(directory)->children)
    names.push_back(name);
  return names;
}

std::optional<struct stat> Draft::status(const std::string& path) const {
  const auto* node = find(path);
  if (node == nullptr) return std::nullopt;
  if (node->file) return node->file->status;
  struct stat removed {};
  removed.st_mode = S_IFCHR;
  removed.st_rdev = ::makedev(0, 0);
  return removed;
}

std::string Draft::read_link(const std::string& path) const {
  return find(path)->file->link;
}

std::string Draft::capability(const std::string& path) const {
  return find(path)->file->capability;
}

bool Draft::has_more_attributes(const std::string& path) const {
  return find(path)->file->has_more_attributes;
}

bool Draft::is_opaque(const std::string& directory) const {
  return find(directory)->hides_below;
}

sys::UniqueFd Draft::open(const std::string& path) const {
  const auto& file = *find(path)->file;
  if (!file.source) throw util::Error(util::quote(path) + " has no content");
  return file.source->open(file.source_path);
}

}  // namespace solver
