// Files that a COPY has put in their places without copying them: names and metadata in memory, content where
// it was.
#pragma once

#include <unistd.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/layer/change_set.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/solver/copy_target.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

// The change set of a COPY that nothing reads but the packer, so that the files go from their source straight
// into the layer. Sources that change meanwhile make packing fail, or are packed
// as they are then. Of extended attributes it keeps
// security.capability, the only one that layers have. Not thread-safe.
class Draft : public CopyTarget, public layer::ChangeSet {
public:
  // Over the filesystem that `below` shows; null = over nothing.
  explicit Draft(std::unique_ptr<snapshot::Workspace> below);

  std::optional<struct stat> status(const sys::RootedPath& path) override { return status_of(path.str()); }
  std::string target_of(const sys::RootedPath& symlink) override;
  void make_directory(const sys::RootedPath& path) override;
  void make_symlink(const sys::RootedPath& path, const std::string& target) override;
  void make_hard_link(const sys::RootedPath& path, const sys::RootedPath& existing) override;
  std::error_code make_node(const sys::RootedPath& path, mode_t type, dev_t device) override;
  void copy_file(const sys::RootedPath& path, const std::shared_ptr<SourceTree>& source,
                 const std::string& from, const struct stat& status,
                 const sys::Cancellation& cancel) override;
  void remove(const sys::RootedPath& path) override;
  std::error_code set_owner(const sys::RootedPath& path, uid_t uid, gid_t gid) override;
  void set_mode(const sys::RootedPath& path, mode_t mode) override;
  void set_xattr(const sys::RootedPath& path, const std::string& name, std::string_view value) override;
  void set_mtime(const sys::RootedPath& path, timespec mtime) override;

  std::vector<std::string> list(const std::string& directory) const override;
  std::optional<struct stat> status(const std::string& path) const override;
  std::string read_link(const std::string& path) const override;
  std::string capability(const std::string& path) const override;
  bool has_more_attributes(const std::string& path) const override;
  bool is_opaque(const std::string& directory) const override;
  sys::UniqueFd open(const std::string& path) const override;

private:
  // A file that may have several names.
  struct File {
    struct stat status {};
    std::string link;  // of a symlink
    std::string capability;
    bool has_more_attributes = false;
    std::shared_ptr<SourceTree> source;  // of a regular file with content
    std::string source_path;
  };
  struct Node {
    std::shared_ptr<File> file;  // null: what lies below was removed
    std::map<std::string, Node> children;
    bool hides_below = false;  // a directory where below there is none
  };
  struct Place {
    Node* node = nullptr;  // null: not in the draft
    bool shows_below = true;
  };

  Place find(const std::string& path);
  const Node* find(const std::string& path) const;
  std::optional<struct stat> status_of(const std::string& path);
  std::optional<struct stat> status_below(const std::string& path);
  Node& take_over(const sys::RootedPath& path);
  File& file(const sys::RootedPath& path) { return *take_over(path).file; }
  Node& add(const sys::RootedPath& path, std::shared_ptr<File> file);
  std::shared_ptr<File> new_file(const sys::RootedPath& path, mode_t mode);

  std::unique_ptr<snapshot::Workspace> below_workspace_;
  std::optional<sys::RootedDir> below_;
  Node root_;
  const uid_t uid_ = ::geteuid();
  const gid_t gid_ = ::getegid();
  ino_t last_inode_ = 0;
};

}  // namespace solver
