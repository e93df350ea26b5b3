// Temporary directories.
#include "common/sys/temp_dir.hpp"

#include <unistd.h>

#include <cstdlib>

#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sys {

TempDir::TempDir(const std::filesystem::path& parent, const std::string& prefix) {
  std::string pattern = (parent / (prefix + "XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    util::throw_errno("cannot make a directory in " + util::quote(parent.string()));
  }
  path_ = pattern;
}

TempDir::TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TempDir::~TempDir() {
  if (!path_.empty()) discard_tree(path_);
}

std::filesystem::path scratch_directory() {
  if (::access("/scratch", W_OK | X_OK) == 0) return "/scratch";
  const char* tmpdir = std::getenv("TMPDIR");
  return tmpdir != nullptr && *tmpdir != '\0' ? tmpdir : "/tmp";
}

}  // namespace sys
