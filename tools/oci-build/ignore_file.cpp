// The ignore file that hides staging directories.
#include "tools/oci-build/ignore_file.hpp"

#include <string>

#include "common/context/ignore.hpp"
#include "common/context/sources.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"

namespace oci_build {
namespace {

namespace fs = std::filesystem;

// The pattern that matches exactly `path`: patterns are those of Go's filepath.Match, one a line.
std::string pattern_of(const fs::path& path) {
  std::string pattern = "/";  // also keeps a leading '#' or '!' from being special
  for (const char c : path.string()) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern;
}

std::string rules_of_user(const fs::path& context, const fs::path& dockerfile) {
  const auto file = context::find_ignore_file(context, dockerfile);
  return file ? sys::read_file(*file) + "\n" : "";
}

}  // namespace

fs::path hide_from_context(const fs::path& context, const fs::path& dockerfile,
                           const std::vector<fs::path>& hidden, const fs::path& work_dir) {
  const auto root = sys::resolved_path(context);
  std::string patterns;
  for (const auto& path : hidden) {
    const auto relative = sys::resolved_path(path).lexically_relative(root);
    if (relative.empty() || *relative.begin() == ".." || relative == ".") continue;
    patterns += pattern_of(relative) + "\n";
  }
  if (patterns.empty()) return dockerfile;

  const auto directory = work_dir / "dockerfile";
  sys::make_directory(directory, 0755);
  const auto copy = directory / dockerfile.filename();
  sys::write_file(copy, sys::read_file(context::find_dockerfile(context, dockerfile)));
  sys::write_file(context::ignore_file_beside(copy), rules_of_user(context, dockerfile) + patterns);
  return copy;
}

}  // namespace oci_build
