// The options of oci-digest.
#include "tools/oci-digest/run_tool.hpp"

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include "common/cli/run_tool.hpp"
#include "common/image/archive.hpp"
#include "tools/oci-digest/digests.hpp"

namespace oci_digest {

int run_tool(int argc, char** argv) {
  CLI::App app{
      "Print the digest of an image: that of its config, as 'docker images' shows it, unless another is "
      "asked for.",
      "oci-digest"};
  std::filesystem::path path;
  std::string platform_text;
  bool manifest = false, index = false, json = false;
  app.add_option("IMAGE", path,
                 "tar of docker save, OCI archive, OCI layout directory (:TAG for one of several), or - for "
                 "a tar on stdin")
      ->required();
  auto* manifest_flag = app.add_flag(
      "--manifest", manifest, "print the manifest's digest, which 'repo@...' accepts for one platform");
  auto* index_flag =
      app.add_flag("--index", index, "print the digest that 'repo@...' accepts for the whole image");
  auto* json_flag = app.add_flag("--json", json, "print all digests as one JSON object");
  index_flag->excludes(manifest_flag, json_flag);
  json_flag->excludes(manifest_flag);
  app.add_option(
         "--platform", platform_text,
         "which image of several, as os/architecture[/variant]; default: the only one, else this machine's")
      ->type_name("PLATFORM");
  return cli::run_tool(app, argc, argv, [&] {
    std::optional<image::Platform> platform;
    if (!platform_text.empty()) platform = image::Platform::parse(platform_text);
    const auto archive = image::open_argument(path);
    const auto text = json       ? to_json(*archive, platform)
                      : index    ? index_digest(*archive).str()
                      : manifest ? manifest_digest(*archive, platform).str()
                                 : config_digest(*archive, platform).str();
    std::printf("%s\n", text.c_str());
  });
}

}  // namespace oci_digest
