// The task's cache directory: BuildKit's local cache, rewritten by every build that ends well.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/document/request.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/temp_dir.hpp"

namespace buildkit {

// In the directory, the symlink `buildkit` names the subdirectory that holds the current cache. A build
// writes a fresh one beside it and commit() turns the symlink: no directory is ever renamed, because on the
// copy-on-write volumes of Concourse that fails for directories of earlier builds. A cache as the stock
// oci-build task leaves it (index.json in the directory itself) is used once and then replaced.
class LocalCache {
public:
  // Makes the fresh cache, with hard links to the blobs of the current one so that none is written twice.
  // Where it cannot be made, or another build is using the directory, the cache is read only: see
  // why_read_only().
  LocalCache(const std::filesystem::path& directory, const document::Output& output, std::size_t targets);

  std::optional<std::string> why_read_only() const { return why_read_only_; }

  // What is wrong with the cache that the build before left, which then is not used: also a FIFO or symlink
  // in the place of a file, which buildctl would wait for or follow.
  std::optional<std::string> damage() const { return damage_; }

  // What buildctl reads (all targets of the build before) and writes (one target of this one).
  std::vector<std::string> imports() const;
  std::vector<std::string> exports(std::size_t target) const;

  // Puts the fresh cache in the place of the current one, without the blobs that no target of this build
  // needs. Throws Error, which leaves the current one as it was; also when a target is missing in the fresh
  // one. Does nothing when read only.
  void commit();

private:
  void open_fresh();
  void link_blobs();
  void drop_unused_blobs() const;
  void remove_all_but_current() const;

  std::filesystem::path directory_;
  std::vector<std::string> compression_;
  std::size_t targets_;
  sys::UniqueFd lock_;
  std::optional<std::filesystem::path> current_;  // the directory that holds index.json and blobs/
  std::vector<std::string> current_tags_;
  std::optional<sys::TempDir> fresh_;
  std::optional<std::string> damage_;
  std::optional<std::string> why_read_only_;
};

}  // namespace buildkit
