// The options of oci-preload.
#include "tools/oci-preload/run_tool.hpp"

#include <cstdio>
#include <filesystem>

#include "common/cli/run_tool.hpp"
#include "common/document/read_request.hpp"
#include "tools/oci-preload/lay_out.hpp"

namespace oci_preload {

int run_tool(int argc, char** argv) {
  CLI::App app{
      "Read a request on stdin, turn every image it gives by path (docker save tar, OCI archive, OCI layout "
      "directory) into an OCI layout, and print the request with their places and digests.",
      "oci-preload"};
  std::filesystem::path work_dir;
  app.add_option("--work-dir", work_dir, "existing directory for the layouts; must outlive the build")
      ->required()
      ->type_name("DIR");
  return cli::run_tool(app, argc, argv, [&] {
    auto request = document::read_request();
    lay_out(request, work_dir);
    std::printf("%s\n", document::to_json(request).c_str());
  });
}

}  // namespace oci_preload
