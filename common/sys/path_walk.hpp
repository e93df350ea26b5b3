// The way along a path whose symlinks are resolved by hand, inside a root.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/sys/rooted_dir.hpp"

namespace sys {

// What is left to walk of a path.
class PathWalk {
public:
  // The kernel follows 40 symlinks, BuildKit 255.
  PathWalk(std::string_view path, int most_links) : path_(path), links_left_(most_links) {}

  // Takes the next component, ".." included; those that lead nowhere ("" and ".") are passed over. Nothing at
  // the end. It is good until follow().
  std::optional<std::string_view> next();

  // True if nothing is left at all, not even a slash.
  bool at_end() const noexcept { return position_ == path_.size(); }

  // Walks on by the target of a symlink that has been met; one that begins with a slash starts at the root.
  // False if there were too many: then the path leads in a circle.
  [[nodiscard]] bool follow(std::string_view target);

private:
  std::string path_;
  std::size_t position_ = 0;
  int links_left_;
};

// What lies at a place on the way.
struct Met {
  enum class Kind { passage, symlink, nothing };  // the last ends the walk

  Kind kind = Kind::passage;
  std::string target = {};  // of a symlink
};

struct WalkedTo {
  enum class End { place, nothing, too_many_links };

  End end;
  RootedPath place;  // where the walk ended
};

// Where `path` leads below a root that `look` knows: it is asked of each place on the way, Met(const
// RootedPath& place, PathWalk& rest).
template <typename Look>
WalkedTo walk_links(std::string_view path, int most_links, const Look& look) {
  PathWalk walk(path, most_links);
  RootedPath at;
  while (const auto component = walk.next()) {
    if (*component == "..") {
      at = at.parent();
      continue;
    }
    auto next = at.child(*component);
    const Met met = look(std::as_const(next), walk);
    if (met.kind == Met::Kind::nothing) return {WalkedTo::End::nothing, std::move(at)};
    if (met.kind == Met::Kind::passage) {
      at = std::move(next);
      continue;
    }
    if (!walk.follow(met.target)) return {WalkedTo::End::too_many_links, std::move(at)};
    if (met.target.starts_with('/')) at = RootedPath();
  }
  return {WalkedTo::End::place, std::move(at)};
}

}  // namespace sys
