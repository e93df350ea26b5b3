#include "common/layer/member_path.hpp"

#include "common/sys/rooted_dir.hpp"

namespace layer {

std::string member_path(std::string_view name) {
  auto path = sys::clean_path(name);
  sys::check_length(path);
  return path;
}

}  // namespace layer
