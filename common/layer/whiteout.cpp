// Recognition of whiteouts by name.
#include "common/layer/whiteout.hpp"

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace layer {
namespace {

constexpr std::string_view prefix = ".wh.";
constexpr std::string_view reserved_prefix = ".wh..wh.";

}  // namespace

Whiteout parse_whiteout(std::string_view path) {
  using Kind = Whiteout::Kind;
  const std::string_view whole = path;
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    if (path.starts_with(reserved_prefix)) return {Kind::reserved, {}};
    if (path.starts_with(prefix)) {
      throw util::Error(util::quote(whole) + " lies below a whiteout, which cannot be a directory");
    }
    path.remove_prefix(slash + 1);
  }
  if (!path.starts_with(prefix)) return {};
  if (path == opaque_marker) return {Kind::opaque, {}};
  if (path.starts_with(reserved_prefix)) return {Kind::reserved, {}};
  path.remove_prefix(prefix.size());
  if (path.empty() || path == "." || path == "..") {
    throw util::Error(util::quote(whole) + " is a whiteout of " + util::quote(path) +
                      ", which cannot be removed");
  }
  return {Kind::name, std::string(path)};
}

}  // namespace layer
