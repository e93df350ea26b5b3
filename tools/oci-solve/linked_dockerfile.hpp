// A Dockerfile behind symbolic links, made plain for the engines.
#pragma once

#include <filesystem>
#include <optional>

#include "common/document/request.hpp"
#include "common/sys/work_dir.hpp"

namespace oci_solve {

// BuildKit follows links in the directory of the Dockerfile as if it was the root of the filesystem, but
// those on the way to that directory wherever they lead. So where links are on the way to the Dockerfile of
// `request` or to the ignore file beside it, both are copied, found in the context as
// context::find_dockerfile does it, and the request names the copy. It is in the directory that is returned,
// made in `work_dir`. Throws util::Error for a Dockerfile that links lead out of the context.
std::optional<sys::WorkDir> copy_linked_dockerfile(document::Request& request,
                                                   const std::filesystem::path& work_dir);

}  // namespace oci_solve
