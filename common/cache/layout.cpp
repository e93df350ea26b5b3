// By its path, which is that of whoever sets the parameters.
#include "common/cache/layout.hpp"

#include <fcntl.h>

#include <utility>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace cache {

store::Folder open_directory(const std::filesystem::path& directory) {
  sys::UniqueFd fd(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) util::throw_errno("cannot open " + util::quote(directory.string()));
  return {std::move(fd), directory};
}

}  // namespace cache
