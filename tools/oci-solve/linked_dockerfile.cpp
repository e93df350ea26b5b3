// Copies of what links lead to.
#include "tools/oci-solve/linked_dockerfile.hpp"

#include "common/context/sources.hpp"
#include "common/document/context_url.hpp"
#include "common/sys/bounded_path.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"

namespace oci_solve {
namespace {

namespace fs = std::filesystem;

// Also what is missing: the engine says so.
bool is_plain(const fs::path& context, const fs::path& path) {
  const auto found = sys::path_within(context, path);
  return found ? *found == path : !sys::is_there(path);
}

}  // namespace

std::optional<sys::WorkDir> copy_linked_dockerfile(document::Request& request, const fs::path& work_dir) {
  const auto& wanted = request.dockerfile;
  if (document::is_url(request.context)) return std::nullopt;
  if (is_plain(request.context, wanted) && is_plain(request.context, context::ignore_file_beside(wanted)))
    return std::nullopt;
  const auto text = sys::read_file(context::find_dockerfile(request.context, wanted));
  const auto ignore_file = sys::path_within(request.context, context::ignore_file_beside(wanted));
  sys::WorkDir directory(work_dir, "dockerfile-");
  const auto copy = directory.path() / wanted.filename();
  sys::write_file(copy, text);
  if (ignore_file) sys::write_file(context::ignore_file_beside(copy), sys::read_file(*ignore_file));
  request.dockerfile = copy;
  return directory;
}

}  // namespace oci_solve
