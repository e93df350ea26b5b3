// The ignore file that hides staging directories.
#include "tools/oci-build/ignore_file.hpp"

#include <string>

#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

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

fs::path resolve(const fs::path& path) {
  std::error_code error;
  auto resolved = fs::canonical(path, error);
  if (error) throw util::Error("cannot resolve " + util::quote(path.string()) + ": " + error.message());
  return resolved;
}

std::string rules_of_user(const fs::path& context, const fs::path& dockerfile) {
  auto own = dockerfile;
  own += ".dockerignore";
  for (const auto& path : {own, context / ".dockerignore"}) {
    if (fs::exists(path)) return sys::read_file(path) + "\n";
  }
  return "";
}

}  // namespace

fs::path hide_from_context(const fs::path& context, const fs::path& dockerfile,
                           const std::vector<fs::path>& hidden, const fs::path& work_dir) {
  const auto root = resolve(context);
  std::string patterns;
  for (const auto& path : hidden) {
    const auto relative = resolve(path).lexically_relative(root);
    if (relative.empty() || *relative.begin() == ".." || relative == ".") continue;
    patterns += pattern_of(relative) + "\n";
  }
  if (patterns.empty()) return dockerfile;

  const auto directory = work_dir / "dockerfile";
  std::error_code error;
  fs::create_directory(directory, error);
  if (error) throw util::Error("cannot make " + util::quote(directory.string()) + ": " + error.message());
  const auto copy = directory / dockerfile.filename();
  sys::write_file(copy, sys::read_file(dockerfile));
  auto ignore_file = copy;
  ignore_file += ".dockerignore";
  sys::write_file(ignore_file, rules_of_user(context, dockerfile) + patterns);
  return copy;
}

}  // namespace oci_build
