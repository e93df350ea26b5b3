// The one limit of names, for all that unpacks archives and all that packs them.
#include "common/layer/member_path.hpp"

#include <climits>

#include "common/sys/rooted_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace layer {

void check_length(std::string_view path) {
  if (path.size() < PATH_MAX) return;
  throw util::Error("the name " + util::quote(std::string(path.substr(0, 60)) + "...") + " has " +
                    std::to_string(path.size()) + " bytes, more than Linux can use (" +
                    std::to_string(PATH_MAX - 1) + ")");
}

std::string member_path(std::string_view name) {
  auto path = sys::clean_path(name);
  check_length(path);
  return path;
}

}  // namespace layer
