// The options of oci-unpack.
#include "tools/oci-unpack/run_tool.hpp"

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "common/cli/run_tool.hpp"
#include "common/image/archive.hpp"
#include "common/util/error.hpp"
#include "tools/oci-unpack/layers.hpp"
#include "tools/oci-unpack/size.hpp"
#include "tools/oci-unpack/unpack.hpp"

namespace oci_unpack {

int run_tool(int argc, char** argv) {
  CLI::App app{
      "Unpack an image into DEST/rootfs, and what its config says of running it into DEST/metadata.json. All "
      "digests are verified, and nothing appears before the end.",
      "oci-unpack"};
  std::filesystem::path path;
  std::filesystem::path destination;
  std::string platform;
  std::string max_size;
  std::string layer;
  bool list = false;
  bool json = false;
  app.add_option("IMAGE", path, image::argument_help)->required();
  app.add_option("DEST", destination,
                 "directory, made if it is absent, without a rootfs in it; - for a tar of the root "
                 "filesystem on stdout");
  auto* list_flag = app.add_flag("--list", list, "print the layers and what made each, in place of DEST");
  app.add_flag("--json", json, "with --list: as one JSON object")->needs(list_flag);
  app.add_option("--layer", layer,
                 "unpack this layer alone, by its number from 1 on or its digest; to - as the tar that it is")
      ->type_name("LAYER")
      ->excludes(list_flag);
  app.add_option(
         "--platform", platform,
         "which image of several, as os/architecture[/variant]; default: the only one, else this machine's")
      ->type_name("PLATFORM");
  app.add_option("--max-size", max_size,
                 "fail if the layers unpack to more bytes than this; K, M, G and T may follow")
      ->type_name("SIZE");
  return cli::run_tool(app, argc, argv, [&] {
    if (list != destination.empty()) {
      throw util::Error(list ? "--list takes no DEST; see 'oci-unpack --help'"
                             : "DEST is required; see 'oci-unpack --help'",
                        util::ExitCode::usage);
    }
    std::optional<image::Platform> wanted;
    if (!platform.empty()) wanted = image::Platform::parse(platform);
    layer::ApplyOptions options;
    if (!max_size.empty()) options.max_size = parse_size(max_size);
    const auto archive = image::open_argument(path);
    auto image = archive->image(wanted);
    if (list) {
      std::fputs((json ? layers_to_json(image) + "\n" : list_layers(image)).c_str(), stdout);
      return;
    }
    if (!layer.empty()) image = with_layer(std::move(image), layer, archive->what());
    if (destination != "-") return unpack(*archive, image, destination, options);
    layer.empty() ? unpack_to_stdout(*archive, image, options) : write_layer(*archive, image);
  });
}

}  // namespace oci_unpack
