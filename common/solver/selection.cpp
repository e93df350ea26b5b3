// The walk of a copy, without copying.
#include "common/solver/selection.hpp"

#include <map>
#include <utility>
#include <vector>

#include "common/hash/sha256.hpp"
#include "common/plan/content.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

hash::Digest digest_of_file(SourceTree& tree, const std::string& path) {
  const auto fd = tree.open(path);
  hash::Sha256 sha;
  std::vector<std::byte> buffer(256 << 10);
  while (const std::size_t count = sys::read_some(fd.get(), buffer, util::quote("/" + path)))
    sha.update(std::span(buffer).first(count));
  return sha.finish();
}

class Walk {
public:
  Walk(SourceTree& tree, const Selection& selection) : tree_(tree), selection_(selection) {}

  hash::Digest run() {
    for (const auto& place : selection_.places)
      walk(place.path, "", place.name, {}, {});
    return content_.finish();
  }

private:
  // `relative` is below the place, for patterns; `shown` is what the entry is called in the digest.
  void walk(const std::string& path, const std::string& relative, const std::string& shown,
            const context::Ignore::Matches& include_above, const context::Ignore::Matches& exclude_above) {
    sys::Cancellation().check();
    bool included = true;
    bool excluded = false;
    context::Ignore::Matches include;
    context::Ignore::Matches exclude;
    if (!relative.empty() && selection_.include) {
      auto verdict = selection_.include->judge(relative, include_above);
      included = verdict.ignored;  // the pattern matched
      include = std::move(verdict.matches);
    }
    if (!relative.empty() && selection_.excludes) {
      auto verdict = selection_.excludes->judge(relative, exclude_above);
      excluded = verdict.ignored;
      if (excluded) included = false;
      exclude = std::move(verdict.matches);
    }
    const auto status = tree_.status(path);
    if (!status) return;
    if (!S_ISDIR(status->st_mode)) {
      if (included) add_with_parents(path, shown, *status);
      return;
    }
    // Where patterns say what to take, the place itself counts only with something in it.
    if (relative.empty() && selection_.include) included = false;
    if (included) add_with_parents(path, shown, *status);
    if (excluded && !selection_.excludes->has_exceptions()) return;
    parents_.push_back({.path = path, .shown = shown, .added = included});
    for (const auto& name : tree_.list(path))
      walk(entry_path(path, name), entry_path(relative, name), entry_path(shown, name), include, exclude);
    parents_.pop_back();
  }

  void add_with_parents(const std::string& path, const std::string& shown, const struct stat& status) {
    for (auto& parent : parents_) {
      if (std::exchange(parent.added, true)) continue;
      const auto found = tree_.status(parent.path);
      if (!found) throw util::Error(util::quote("/" + parent.path) + " changed while it was read");
      add(parent.path, parent.shown, *found);
    }
    add(path, shown, status);
  }

  void add(const std::string& path, const std::string& shown, const struct stat& status) {
    plan::ContentEntry entry{.path = shown,
                             .mode = status.st_mode,
                             .uid = status.st_uid,
                             .gid = status.st_gid,
                             .device = 0,
                             .link = {},
                             .hard_link = {},
                             .content = {}};
    if (S_ISLNK(status.st_mode)) {
      entry.link = tree_.read_link(path);
    } else {
      entry.xattrs = tree_.xattrs(path);
    }
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) entry.device = status.st_rdev;
    if (S_ISREG(status.st_mode)) {
      if (status.st_nlink > 1) {
        const auto [first, is_first] = seen_.emplace(std::pair(status.st_dev, status.st_ino), shown);
        if (!is_first) entry.hard_link = first->second;
      }
      if (!entry.hard_link) entry.content = digest_of_file(tree_, path);
    }
    content_.add(entry);
  }

  struct Parent {
    std::string path;
    std::string shown;
    bool added;
  };

  SourceTree& tree_;
  const Selection& selection_;
  plan::ContentHash content_;
  std::vector<Parent> parents_;
  std::map<std::pair<dev_t, ino_t>, std::string> seen_;  // files with several names, by their first
};

}  // namespace

hash::Digest content_of(SourceTree& tree, const Selection& selection) {
  return Walk(tree, selection).run();
}

}  // namespace solver
