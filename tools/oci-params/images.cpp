// Finding out what a path holds before anything is built.
#include "tools/oci-params/images.hpp"

#include <algorithm>

#include "common/image/reference.hpp"
#include "common/image/tagged_layout.hpp"
#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"
#include "tools/oci-params/files.hpp"
#include "tools/oci-params/values.hpp"

namespace params {
namespace {

namespace fs = std::filesystem;

bool is_layout(const fs::path& directory) {
  return is_present(directory / "oci-layout");
}

// The image inside a directory that is none itself: what builds and registry-image leave in their outputs.
std::optional<fs::path> image_inside(const fs::path& directory) {
  if (is_present(directory / "image.tar")) return directory / "image.tar";
  if (is_layout(directory / "image")) return directory / "image";
  return std::nullopt;
}

void require_image(const std::string& parameter, const fs::path& argument) {
  const auto path = image::locate(argument).path;
  require_existing(parameter, path);
  if (!sys::leads_to_directory(path)) {
    require_file(parameter, path);
    return;
  }
  if (is_layout(path)) return;
  const auto inside = image_inside(path);
  throw util::Error(
      parameter + ": " + util::quote(path.string()) + " is a directory without an OCI layout; name " +
      (inside ? util::quote(inside->string()) : std::string("an image tar or an OCI layout directory")));
}

}  // namespace

std::vector<document::Preload> read_image_args(const Environment& environment, Findings& findings) {
  std::vector<document::Preload> preloads;
  findings.check([&] {
    for (const auto& member : environment.family("IMAGE_ARG_")) {
      findings.check([&] {
        const auto path = environment.value(member.variable);
        if (!path) return;
        require_image(member.variable, *path);
        preloads.push_back({document::Preload::Role::build_arg, member.name, *path, std::nullopt});
      });
    }
  });
  return preloads;
}

BuildContexts read_build_contexts(const Environment& environment, Findings& findings) {
  const std::string parameter = "BUILD_CONTEXTS";
  BuildContexts contexts;
  std::vector<std::string> names;
  findings.check([&] {
    for (const auto& entry : split_list(environment.value(parameter).value_or(""), ",\n")) {
      findings.check([&] {
        const auto pair = split_pair(entry);
        if (!pair || pair->second.empty()) {
          throw util::Error(parameter + ": " + util::quote(entry) + " is not of the form name=path");
        }
        const auto name = util::with_context(parameter, [&] { return image::context_name(pair->first); });
        const fs::path path = pair->second;
        if (std::find(names.begin(), names.end(), name) != names.end()) {
          throw util::Error(parameter + ": " + util::quote(name) + " stands twice; keep one");
        }
        names.push_back(name);
        require_existing(parameter, image::locate(path).path);
        if (!sys::leads_to_directory(path) || is_layout(path)) {
          require_image(parameter, path);
          contexts.images.push_back({document::Preload::Role::context, name, path, std::nullopt});
          return;
        }
        if (const auto inside = image_inside(path)) {
          findings.warn(parameter + ": " + util::quote(path.string()) +
                        " is taken as a plain directory; for the image in it, name " +
                        util::quote(inside->string()));
        }
        contexts.directories.push_back({name, path});
      });
    }
  });
  return contexts;
}

}  // namespace params
