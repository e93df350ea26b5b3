// The files of a build context: a directory, less what its ignore file says.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/context/ignore.hpp"
#include "common/sys/fd.hpp"

namespace context {

struct Entry {
  std::string path;    // below the root, without a slash in front: "src/main.c"; the root itself is ""
  struct stat status;  // of the entry itself, symlinks not followed
  std::string link;    // where a symlink points
};

// Paths are looked up element by element and symlinks never followed, so nothing outside the root is reached.
class Tree {
public:
  // Throws util::Error if `root` is no directory.
  Tree(const std::filesystem::path& root, Ignore ignore);

  const Ignore& ignore() const noexcept { return ignore_; }
  // A descriptor of the directory, as long as this lives.
  int root() const noexcept { return root_.get(); }

  // The entry at `path` ("a/b"), if there is one and it is not ignored. A directory that is ignored is there
  // if something below it is. The root ("") always is.
  std::optional<Entry> find(std::string_view path) const;

  // Shows everything below `path` (the root: "") that is not ignored: names of each directory in byte order,
  // a directory before what lies in it, an ignored directory only once something below it is shown. Nothing
  // is shown for what is no directory, and what vanishes on the way is passed over. Nor is what lies below a
  // path longer than Linux can use, which nobody can take anyway. Throws util::Error for a
  // directory that cannot be read, unless it is ignored, and what `visit` throws.
  void walk(std::string_view path, const std::function<void(const Entry&)>& visit) const;

  // The regular file at `path`, ignored or not, for reading. Throws util::Error.
  struct File {
    sys::UniqueFd fd;
    struct stat status;
  };
  File open(std::string_view path) const;

private:
  struct Place;
  // False once enough has been seen.
  using Visit = std::function<bool(const Entry&)>;

  std::string shown(std::string_view path) const;
  std::optional<Place> descend(std::string_view path) const;
  std::optional<Entry> entry_at(int directory, const std::string& name, std::string path) const;
  bool walk_directory(const Place& place, std::vector<Entry>& unseen, const Visit& visit) const;
  bool walk_entry(const Place& place, const std::string& name, std::vector<Entry>& unseen,
                  const Visit& visit) const;

  std::string root_name_;
  sys::UniqueFd root_;
  Ignore ignore_;
};

}  // namespace context
