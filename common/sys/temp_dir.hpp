// A private directory that goes away with its owner.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

namespace sys {

// Mode 0700, unpredictable name. The destructor removes it with all it holds; a removal that fails is a
// warning on stderr. A SIGKILL leaves it behind, and so do SIGTERM, SIGINT and SIGHUP if that takes long: one
// that is not made in a WorkDir is that of somebody who calls remove_leftovers().
class TempDir {
public:
  // Made in `parent`, which must exist; the name starts with `prefix`. Throws Error.
  explicit TempDir(const std::filesystem::path& parent, const std::string& prefix = "oci-build-");
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  const std::filesystem::path& path() const noexcept { return path_; }

  // Leaves the directory where it is, for good, and gives its path.
  std::filesystem::path release() noexcept { return std::exchange(path_, {}); }

private:
  std::filesystem::path path_;
};

// Where large temporary files go: /scratch where Concourse gives it (a plain volume, where overlayfs works
// and files are not copied up), else TMPDIR, else /tmp.
std::filesystem::path scratch_directory();

}  // namespace sys
