// The options of oci-digest.
#include "tools/oci-digest/run_tool.hpp"

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/cli/run_tool.hpp"
#include "common/image/archive.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "tools/oci-digest/digests.hpp"

namespace oci_digest {

int run_tool(int argc, char** argv) {
  CLI::App app{
      "Print the digest of an image: that of its config, as 'docker images' shows it, unless another is "
      "asked for. Of several images, a line for each, with the digest and the image.",
      "oci-digest"};
  std::vector<std::filesystem::path> paths;
  std::string platform_text;
  bool manifest = false, index = false, json = false;
  app.add_option("IMAGE", paths, image::argument_help)->required();
  auto* manifest_flag = app.add_flag(
      "--manifest", manifest, "print the manifest's digest, which 'repo@...' accepts for one platform");
  auto* index_flag =
      app.add_flag("--index", index, "print the digest that 'repo@...' accepts for the whole image");
  auto* json_flag = app.add_flag("--json", json, "print all digests as one JSON object for each image");
  index_flag->excludes(manifest_flag, json_flag);
  json_flag->excludes(manifest_flag);
  app.add_option(
         "--platform", platform_text,
         "which image of several, as os/architecture[/variant]; default: the only one, else this machine's")
      ->type_name("PLATFORM");
  return cli::run_tool(app, argc, argv, [&] {
    std::optional<image::Platform> platform;
    if (!platform_text.empty()) platform = image::Platform::parse(platform_text);
    const auto text_of = [&](const std::filesystem::path& path) {
      const auto archive = image::open_argument(path);
      return json       ? to_json(*archive, platform)
             : index    ? index_digest(*archive).str()
             : manifest ? manifest_digest(*archive, platform).str()
                        : config_digest(*archive, platform).str();
    };
    bool failed = false;
    for (const auto& path : paths) {
      try {
        std::printf("%s", text_of(path).c_str());
        paths.size() > 1 && !json ? std::printf("  %s\n", path.c_str()) : std::printf("\n");
      } catch (const util::Error& error) {
        // As sha256sum does: of the others each gets its line.
        if (paths.size() == 1 || error.is_cancelled()) throw;
        util::log::error(error.what());
        failed = true;
      }
    }
    if (failed) throw util::Error("");
  });
}

}  // namespace oci_digest
