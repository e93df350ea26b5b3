// A map from inodes.
#include "common/sys/file_facts.hpp"

namespace sys {
namespace {

FileFacts* kept = nullptr;

}  // namespace

FileFacts* FileFacts::of_process() noexcept {
  return kept;
}

void FileFacts::keep_for_process() {
  static FileFacts facts;
  kept = &facts;
}

template <typename Change>
void FileFacts::change(const struct stat& of, const Change& change) {
  const std::lock_guard lock(mutex_);
  change(facts_[{of.st_dev, of.st_ino}]);
}

void FileFacts::forget(const struct stat& made) {
  const std::lock_guard lock(mutex_);
  facts_.erase({made.st_dev, made.st_ino});
}

void FileFacts::set_owner(const struct stat& of, uid_t uid, gid_t gid) {
  change(of, [&](Fact& fact) {
    if (uid != static_cast<uid_t>(-1)) fact.uid = uid;
    if (gid != static_cast<gid_t>(-1)) fact.gid = gid;
  });
}

void FileFacts::set_mode(const struct stat& of, mode_t mode) {
  change(of, [&](Fact& fact) { fact.mode = mode & 07777; });
}

void FileFacts::set_xattr(const struct stat& of, const std::string& name, std::string_view value) {
  change(of, [&](Fact& fact) { fact.xattrs[name] = value; });
}

void FileFacts::apply(struct stat& status) const {
  const std::lock_guard lock(mutex_);
  if (status.st_uid == own_uid_) status.st_uid = 0;
  if (status.st_gid == own_gid_) status.st_gid = 0;
  const auto found = facts_.find({status.st_dev, status.st_ino});
  if (found == facts_.end()) return;
  const auto& fact = found->second;
  if (fact.uid) status.st_uid = *fact.uid;
  if (fact.gid) status.st_gid = *fact.gid;
  if (fact.mode) status.st_mode = (status.st_mode & S_IFMT) | *fact.mode;
}

std::optional<std::string> FileFacts::xattr(const struct stat& of, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = facts_.find({of.st_dev, of.st_ino});
  if (found == facts_.end()) return std::nullopt;
  const auto value = found->second.xattrs.find(name);
  return value == found->second.xattrs.end() ? std::nullopt : std::optional(value->second);
}

std::map<std::string, std::string> FileFacts::xattrs(const struct stat& of) const {
  const std::lock_guard lock(mutex_);
  const auto found = facts_.find({of.st_dev, of.st_ino});
  return found == facts_.end() ? std::map<std::string, std::string>() : found->second.xattrs;
}

}  // namespace sys
