// The walk of a copy.
#include "common/solver/copier.hpp"

#include "common/solver/directories.hpp"
#include "common/util/characters.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
sys::RootedPath Copier::make_directories(const std::string& path) {
  // Of an octal mode the directories on the way get the permissions alone.
  const mode_t mode = options_.chmod && options_.chmod->octal()
                          ? static_cast<mode_t>(*options_.chmod->octal()) & 0777
                          : default_directory_mode;
  return solver::make_directories(root_, path, mode, options_.owner);
}

void Copier::copy(const std::string& path, const std::string& base_name, const std::string& destination) {
  if (options_.include) include_ = context::Ignore::from_patterns({*options_.include});
  const auto slash = destination.rfind('/');
  const auto parent = make_directories(destination.substr(0, slash));
  const std::string name = destination.substr(slash + 1);
  const auto status = source_.status(path);
  if (!status) throw util::Error(util::quote("/" + path) + " not found");

  // Where the name leads: an existing symlink at the very end is followed, too.
  sys::RootedPath target = parent;
  if (!name.empty()) {
    target = parent.child(name);
    const auto there = root_.status(target);
    if (there && S_ISLNK(there->st_mode)) {
      const std::string link = root_.target_of(target);
      const std::string full = link.starts_with('/') ? link : parent.str() + "/" + link;
      if (const auto followed = follow(root_, full)) {
        target = *followed;
      } else {
        const std::string clean = sys::clean_path(full);
        const auto cut = clean.rfind('/');
        target = make_directories(cut == std::string::npos ? "" : clean.substr(0, cut))
                     .child(cut == std::string::npos ? clean : clean.substr(cut + 1));
      }
    }
  }
  const auto there = target.is_root() ? std::optional(*status) : root_.status(target);
  const bool into_directory = target.is_root() || (there && S_ISDIR(there->st_mode));
  if (S_ISDIR(status->st_mode)) {
    if (!there) target = make_directories(target.str());
  } else if (into_directory) {
    target = target.child(base_name);
  }
  copy_entry(path, "", target, Existing::keep_metadata, {}, {});
}

void Copier::copy_entry(const std::string& path, const std::string& relative, const sys::RootedPath& target,
                        Existing existing, const context::Ignore::Matches& include_above,
                        const context::Ignore::Matches& exclude_above) {
  options_.cancel.check();
  bool included = true;
  bool excluded = false;
  context::Ignore::Matches include;
  context::Ignore::Matches exclude;
  if (!relative.empty()) {
    if (options_.include) {
      auto verdict = include_.judge(relative, include_above);
      included = verdict.ignored;  // the pattern matched
      include = std::move(verdict.matches);
    }
    if (!options_.excludes.empty()) {
      auto verdict = options_.excludes.judge(relative, exclude_above);
      excluded = verdict.ignored;
      exclude = std::move(verdict.matches);
      if (excluded) included = false;
    }
  }
  const auto status = source_.status(path);
  if (!status) return;
  const bool is_directory = S_ISDIR(status->st_mode);
  if (!included && !is_directory) return;
  if (included) make_parents(existing);
  if (is_directory) {
    const bool existed = included && (target.is_root() || root_.status(target).has_value());
    const bool made =
        copy_directory(path, relative, target, *status, existing, included, excluded, include, exclude);
    if (made || (included && existing == Existing::take_metadata)) {
      copy_metadata(path, target, *status);
    } else if (existed) {
      root_.set_mtime(target, status->st_mtim);
    }
    return;
  }
  if (const auto there = root_.status(target)) {
    if (S_ISDIR(there->st_mode)) {
      throw util::Error("cannot replace to directory /" + target.str() + " with file");
    }
    root_.remove(target);
  }
  copy_file(path, target, *status);
}

bool Copier::copy_directory(const std::string& path, const std::string& relative,
                            const sys::RootedPath& target, const struct stat& status, Existing existing,
                            bool included, bool excluded, const context::Ignore::Matches& include,
                            const context::Ignore::Matches& exclude) {
  const bool made = included && make_directory(target, status, existing);
  if (excluded && !options_.excludes.has_exceptions()) return false;
  parents_.push_back({.source = path, .target = target, .made = included});
  for (const auto& name : source_.list(path)) {
    copy_entry(entry_path(path, name), entry_path(relative, name), target.child(name),
               Existing::take_metadata, include, exclude);
  }
  parents_.pop_back();
  return made;
}

bool Copier::make_directory(const sys::RootedPath& target, const struct stat& status, Existing existing) {
  if (target.is_root()) return false;
  const auto there = root_.status(target);
  if (!there) {
    root_.make_directory(target);
    return true;
  }
  if (!S_ISDIR(there->st_mode)) throw util::Error("cannot copy to non-directory: /" + target.str());
  if (existing == Existing::take_metadata) root_.set_mode(target, status.st_mode & 07777);
  return false;
}

// The directories on the way to something that was included by a pattern, with their metadata; of one that is
// there the mode alone, which --chmod does not change.
void Copier::make_parents(Existing existing) {
  for (auto& parent : parents_) {
    if (parent.made) continue;
    const auto status = source_.status(parent.source);
    if (status && make_directory(parent.target, *status, existing)) {
      copy_metadata(parent.source, parent.target, *status);
    }
    parent.made = true;
  }
}

void Copier::copy_file(const std::string& path, const sys::RootedPath& target, const struct stat& status) {
  if (S_ISREG(status.st_mode) && status.st_nlink > 1) {
    const auto [first, is_first] = copied_.emplace(std::pair(status.st_dev, status.st_ino), target);
    if (!is_first) {
      root_.make_hard_link(target, first->second);
      copy_metadata(path, target, status);
      return;
    }
  }
  if (S_ISREG(status.st_mode)) {
    root_.copy_file(target, source_pointer_, path, status, options_.cancel);
  } else if (S_ISLNK(status.st_mode)) {
    root_.make_symlink(target, source_.read_link(path));
  } else {
    // BuildKit clears the bits of a socket's type: that makes an empty file of it, and of a block device a
    // character device.
    const mode_t rest = status.st_mode & S_IFMT & ~mode_t{S_IFSOCK};
    const mode_t type = rest == 0 ? mode_t{S_IFREG} : rest;
    if (const auto error = root_.make_node(target, type, status.st_rdev)) {
      std::string reason = error.message();
      reason.front() = util::to_lower(reason.front());
      throw util::Error(util::quote("/" + path) + ": failed to create device: " + reason);
    }
  }
  copy_metadata(path, target, status);
}

// Owner, mode, times, in this order: a change of owner clears setuid.
void Copier::copy_metadata(const std::string& path, const sys::RootedPath& target,
                           const struct stat& status) {
  if (target.is_root()) return;
  const bool is_link = S_ISLNK(status.st_mode);
  set_owner(root_, target, options_.owner.value_or(sandbox::Owner{status.st_uid, status.st_gid}));
  if (!is_link) {
    using Kind = dockerfile::Chmod::FileKind;
    mode_t mode = status.st_mode & 07777;
    if (options_.chmod)
      mode = options_.chmod->apply(mode, S_ISDIR(status.st_mode) ? Kind::directory : Kind::other);
    root_.set_mode(target, mode);
    for (const auto& [name, value] : source_.xattrs(path))
      root_.set_xattr(target, name, value);
  }
  root_.set_mtime(target, status.st_mtim);
}

}  // namespace solver
