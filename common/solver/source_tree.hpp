// Files that a COPY or ADD reads: of a build context, or of another op's filesystem.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/context/ignore.hpp"
#include "common/context/tree.hpp"
#include "common/hash/digest.hpp"
#include "common/store/seals.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/rooted_dir.hpp"

namespace solver {

// Paths are relative to the root, without slashes at either end; "" is the root.
class SourceTree {
public:
  virtual ~SourceTree() = default;

  // As lstat(2); nothing if it is not there.
  virtual std::optional<struct stat> status(const std::string& path) = 0;
  // Names in a directory in byte order.
  virtual std::vector<std::string> list(const std::string& path) = 0;
  virtual std::string read_link(const std::string& path) = 0;
  virtual sys::UniqueFd open(const std::string& path) = 0;
  // Of the bytes of a file. Several threads may ask at a time, as long as nobody asks for anything else, or
  // of a tree that is thread-safe.
  virtual hash::Digest digest(const std::string& path);
  virtual bool is_thread_safe() const { return false; }
  // Extended attributes of anything but symlinks.
  virtual std::map<std::string, std::string> xattrs(const std::string& path) = 0;
  // Bytes in the file at `path`, or in all files below it together. Nothing of a tree that was not walked.
  virtual std::optional<std::uint64_t> size(const std::string& path);
  // Tells later builds what digest() has found, where it can. Throws as sys::Cancellation::check does.
  virtual void keep_seals() {}

protected:
  // Of all that is left to read of a file, which is some `size` bytes.
  static hash::Digest digest_of(int fd, const std::string& path, std::uint64_t size);

private:
  std::mutex opening_;
};

constexpr int most_links = 255;  // that are followed on the way to a file, as BuildKit does

// The path of an entry of a directory of such a tree.
std::string entry_path(const std::string& directory, std::string_view name);

// A build context, as a client of BuildKit sends it: owners are 0:0, there are no extended attributes, and
// the root is a new directory of mode 0755. It is walked here, once; who reads a file after somebody else
// finds what that one found, or gets an Error. Of a file that is as it was when an earlier build read it,
// digest() knows what that one has told `seals`, which lives longer. Thread-safe.
std::unique_ptr<SourceTree> context_source(std::shared_ptr<const context::Tree> tree,
                                           store::Seals* seals = nullptr);

// A directory that is a whole root filesystem. Where it changes meanwhile, what comes out of it is any
// mixture or a util::Error, never something else than its own files.
std::unique_ptr<SourceTree> root_source(const std::filesystem::path& root);

// What BuildKit says of a path that a tree does not have.
std::string not_found(const std::string& path);

// Where `path` leads when every symlink on the way, the last one too, is followed inside the tree. A part
// that does not exist is taken as it is written. Throws util::Error after `most_links`.
std::string follow(SourceTree& tree, std::string_view path);

}  // namespace solver
