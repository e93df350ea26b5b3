// The options of oci-merge.
#include "tools/oci-merge/run_tool.hpp"

#include <cstdio>
#include <filesystem>
#include <vector>

#include "common/cli/run_tool.hpp"
#include "common/util/error.hpp"
#include "tools/oci-merge/merge.hpp"
#include "tools/oci-merge/write.hpp"

namespace oci_merge {

int run_tool(int argc, char** argv) {
  CLI::App app{
      "Make one image for several platforms of images for one each, and print its digest. Manifests, configs "
      "and layers stay as they are, and so do attestations; every digest is checked.",
      "oci-merge"};
  std::vector<std::filesystem::path> arguments;
  app.add_option(
         "IMAGE... OUTPUT", arguments,
         "tars of docker save, OCI archives or OCI layout directories (:TAG for one of several), then "
         "what is made of them: a .tar for an OCI archive, else an OCI layout directory that is empty "
         "or absent")
      ->required()
      ->type_name("");
  return cli::run_tool(app, argc, argv, [&] {
    if (arguments.size() < 2)
      throw util::Error("OUTPUT is required; see 'oci-merge --help'", util::ExitCode::usage);
    const auto output = arguments.back();
    arguments.pop_back();
    std::vector<std::unique_ptr<image::Archive>> archives;
    for (const auto& argument : arguments)
      archives.push_back(image::open_argument(argument));
    const auto merged = merge(archives);
    output.extension() == ".tar" ? write_archive(merged, output) : write_layout(merged, output);
    std::printf("%s\n", merged.index.digest.str().c_str());
  });
}

}  // namespace oci_merge
