// Files that a COPY has put in their places without copying them: names and metadata in memory, content where
// it was.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/layer/change_set.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/solver/compact_status.hpp"
#include "common/solver/copy_target.hpp"
#include "common/solver/name_tree.hpp"
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
  struct Rare {
    std::string link;  // of a symlink
    std::string capability;
    bool has_more_attributes = false;
  };
  // A file that may have several names.
  struct File {
    CompactStatus status;
    std::unique_ptr<Rare> rare;
    std::uint64_t source_path_at = 0;
    std::uint32_t source_path_length = 0;
    std::uint32_t source = no_source;  // of a regular file with content, in sources_
  };
  struct Entry {
    std::uint32_t file = removed;  // in files_; `removed`: what lies below is not to be seen
    bool hides_below = false;      // a directory where below there is none
  };
  using Node = NameTree<Entry>::Node;
  struct Place {
    Node* node = nullptr;  // null: not in the draft
    bool shows_below = true;
  };
  static constexpr std::uint32_t no_source = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t removed = no_source;

  Place find(const std::string& path);
  Node* find(const std::string& path) const;
  const File& file_at(const std::string& path) const { return files_[find(path)->value.file]; }
  std::optional<struct stat> status_of(const std::string& path);
  std::optional<struct stat> status_below(const std::string& path);
  Node& take_over(const sys::RootedPath& path);
  File& file(const sys::RootedPath& path) { return files_[take_over(path).value.file]; }
  static Rare& rare(File& file);
  void add(const sys::RootedPath& path, std::uint32_t file);
  std::uint32_t new_file(const sys::RootedPath& path, mode_t mode);

  std::unique_ptr<snapshot::Workspace> below_workspace_;
  std::optional<sys::RootedDir> below_;
  NameTree<Entry> names_;
  std::deque<File> files_;
  std::vector<std::shared_ptr<SourceTree>> sources_;
  std::string source_paths_;
};

}  // namespace solver
