// Copies files of a source tree into a root, by the rules of COPY.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/context/ignore.hpp"
#include "common/dockerfile/chmod.hpp"
#include "common/sandbox/user.hpp"
#include "common/solver/copy_target.hpp"
#include "common/solver/source_tree.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

struct CopyOptions {
  std::optional<sandbox::Owner> owner;     // --chown
  std::optional<dockerfile::Chmod> chmod;  // --chmod
  context::Ignore excludes;                // --exclude
  std::optional<std::string> include;      // of --parents: what to take of the source, a pattern
  sys::Cancellation cancel;
};

// One source (a file, a directory, one match of a wildcard) into one destination. What the class keeps is
// which inodes it has copied: hard links within the source stay hard links.
class Copier {
public:
  Copier(std::shared_ptr<SourceTree> source, CopyTarget& root, const CopyOptions& options)
      : source_pointer_(std::move(source)), source_(*source_pointer_), root_(root), options_(options) {}

  // `path` is below the root of the source, its symlinks followed; `base_name` is what it is called in the
  // Dockerfile. `destination` is absolute; a slash at its end says that it is a directory. Missing parents
  // are made: mode 0755 or an octal --chmod, owned by --chown's. A file goes into an existing directory; of a
  // directory the contents are copied. Throws util::Error in BuildKit's words, and as
  // sys::Cancellation::check does.
  void copy(const std::string& path, const std::string& base_name, const std::string& destination);

private:
  enum class Existing { keep_metadata, take_metadata };  // of directories that the destination has already

  struct Parent {
    std::string source;
    sys::RootedPath target;
    bool made;
  };

  sys::RootedPath make_directories(const std::string& path);
  void copy_entry(const std::string& path, const std::string& relative, const sys::RootedPath& target,
                  Existing existing, const context::Ignore::Matches& include_above,
                  const context::Ignore::Matches& exclude_above);
  bool copy_directory(const std::string& path, const std::string& relative, const sys::RootedPath& target,
                      const struct stat& status, Existing existing, bool included, bool excluded,
                      const context::Ignore::Matches& include, const context::Ignore::Matches& exclude);
  bool make_directory(const sys::RootedPath& target, const struct stat& status, Existing existing);
  void make_parents(Existing existing);
  void copy_file(const std::string& path, const sys::RootedPath& target, const struct stat& status);
  void copy_metadata(const std::string& path, const sys::RootedPath& target, const struct stat& status);

  std::shared_ptr<SourceTree> source_pointer_;
  SourceTree& source_;
  CopyTarget& root_;
  const CopyOptions& options_;
  context::Ignore include_;
  std::vector<Parent> parents_;
  std::map<std::pair<dev_t, ino_t>, sys::RootedPath> copied_;
};

}  // namespace solver
