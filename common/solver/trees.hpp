// The filesystems that ops read and change, and where they put what they have made.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/hash/digest.hpp"
#include "common/plan/op.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/solver/source_tree.hpp"
#include "common/store/entries.hpp"

namespace solver {

class Draft;

// Local files, read where they lie, with what the ignore file leaves of them.
struct LocalFiles {
  std::string name;  // of the context
  std::shared_ptr<SourceTree> tree;
  std::shared_ptr<SourceTree> sent;  // the same, as far as BuildKit would see it: see sent_files()
};

// What an op reads or changes: local files, or a stack of trees.
struct Filesystem {
  snapshot::Stack stack;
  std::optional<LocalFiles> local = {};
};

// Filesystems of an op's inputs; of a --link, which changes nothing that is there, without its base.
using Inputs = std::map<plan::OpId, Filesystem>;

// What an op has made: a tree to go on top of those it changed, or, where nothing will read that, the draft
// of one.
struct Change {
  std::filesystem::path tree;
  std::shared_ptr<Draft> draft = nullptr;
  // What names all its files, of what was fetched.
  std::optional<hash::Digest> identity = std::nullopt;
  // The SHA-256 of a file that was downloaded.
  std::optional<hash::Digest> content = std::nullopt;
  // What `tree` leads to, where it is the handle of a directory inside another tree.
  std::shared_ptr<const store::Folder> held = nullptr;
};

// Where the trees of one build are made. Thread-safe.
class Trees {
public:
  // Borrows the snapshotter. The directory is the build's own, and on the snapshotter's filesystem.
  Trees(snapshot::Snapshotter& snapshotter, std::filesystem::path directory)
      : snapshotter_(snapshotter), directory_(std::move(directory)) {}

  snapshot::Snapshotter& snapshotter() const noexcept { return snapshotter_; }
  const std::filesystem::path& directory() const noexcept { return directory_; }

  // For a tree that does not exist yet.
  std::filesystem::path new_path() { return directory_ / ("tree-" + std::to_string(count_++)); }

  // Ends the work in `workspace`; what it changed is a tree of its own. Throws util::Error.
  Change commit(snapshot::Workspace& workspace) {
    Change change{.tree = new_path()};
    workspace.commit(change.tree);
    return change;
  }

private:
  snapshot::Snapshotter& snapshotter_;
  const std::filesystem::path directory_;
  std::atomic<unsigned> count_ = 0;
};

}  // namespace solver
