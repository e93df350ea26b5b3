// From preloads to layouts.
#include "tools/oci-preload/lay_out.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "common/image/archive.hpp"
#include "common/image/layout_writer.hpp"
#include "common/image/tagged_layout.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/work_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace oci_preload {
namespace {

using document::Preload;

// What the user set, for messages.
std::string parameter_of(const Preload& preload) {
  return preload.role == Preload::Role::build_arg ? "IMAGE_ARG_" + util::escape(preload.name)
                                                  : "BUILD_CONTEXTS: " + util::quote(preload.name);
}

// Said before the work rather than after it.
void require_free(const std::filesystem::path& directory) {
  if (sys::is_there(directory, sys::Links::kept))
    util::throw_errno("cannot create " + util::quote(directory.string()), EEXIST);
}

using Identity = std::tuple<dev_t, ino_t, std::string>;

Identity identity(const std::filesystem::path& argument) {
  const auto [path, tag] = image::locate(argument);
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) util::throw_errno("cannot open " + util::quote(path.string()));
  return {status.st_dev, status.st_ino, tag};
}

hash::Digest add(image::LayoutWriter& writer, const Preload& preload) {
  const auto archive = image::open(preload.path);
  const std::uint64_t before = writer.copied();
  auto digest = writer.add(*archive, preload.name).digest;
  util::log::debug(archive->what() + " is " + digest.str() + ", " +
                   util::human_size(writer.copied() - before) + " copied");
  return digest;
}

}  // namespace

void lay_out(document::Request& request, const std::filesystem::path& work_dir) {
  const auto is_open = [](const Preload& preload) { return !preload.layout; };
  if (std::none_of(request.preloads.begin(), request.preloads.end(), is_open)) return;
  const auto directory = work_dir / "preloads";
  require_free(directory);
  const sys::WorkDir staging(work_dir, ".oci-preload-");
  image::LayoutWriter writer(staging.path() / directory.filename());
  std::map<Identity, hash::Digest> known;
  for (auto& preload : request.preloads) {
    if (!is_open(preload)) continue;
    util::with_context(parameter_of(preload), [&] {
      const auto id = identity(preload.path);
      auto found = known.find(id);
      if (found == known.end()) found = known.emplace(id, add(writer, preload)).first;
      preload.layout = Preload::Layout{directory, found->second};
    });
  }
  writer.commit();
  sys::Cancellation().check();
  if (::rename((staging.path() / directory.filename()).c_str(), directory.c_str()) != 0)
    util::throw_errno("cannot create " + util::quote(directory.string()));
}

}  // namespace oci_preload
