// The options of oci-unpack.
#include "tools/oci-unpack/run_tool.hpp"

#include <filesystem>
#include <string>

#include "common/cli/run_tool.hpp"
#include "common/image/archive.hpp"
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
  app.add_option("IMAGE", path,
                 "tar of docker save, OCI archive, OCI layout directory (:TAG for one of several), or - for "
                 "a tar on stdin")
      ->required();
  app.add_option("DEST", destination,
                 "directory, made if it is absent, without a rootfs in it; - for a tar of the root "
                 "filesystem on stdout")
      ->required();
  app.add_option(
         "--platform", platform,
         "which image of several, as os/architecture[/variant]; default: the only one, else this machine's")
      ->type_name("PLATFORM");
  app.add_option("--max-size", max_size,
                 "fail if the layers unpack to more bytes than this; K, M, G and T may follow")
      ->type_name("SIZE");
  return cli::run_tool(app, argc, argv, [&] {
    Options options;
    if (!platform.empty()) options.platform = image::Platform::parse(platform);
    if (!max_size.empty()) options.apply.max_size = parse_size(max_size);
    const auto archive = image::open_argument(path);
    destination == "-" ? unpack_to_stdout(*archive, options) : unpack(*archive, destination, options);
  });
}

}  // namespace oci_unpack
