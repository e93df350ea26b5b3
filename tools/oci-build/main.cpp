// build: a Concourse task that builds container images.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "common/cli/run_tool.hpp"
#include "common/sys/hidden_memory.hpp"
#include "tools/oci-build/build.hpp"
#include "tools/oci-build/pipeline.hpp"
#include "tools/oci-params/run_tool.hpp"

// A link that has the name of a tool inside this program is that tool: static programs are large, and one is
// enough.
int main(int argc, char** argv) {
  if (argc > 0) {
    if (const auto tool = oci_build::entry_of(std::filesystem::path(argv[0]).filename().native()))
      return tool(argc, argv);
  }
  CLI::App app{
      "Build container images as a Concourse task: everything to do is read from the environment (CONTEXT, "
      "DOCKERFILE, BUILD_ARG_*, ...; see build(1)), images go to the directories 'image' and TARGET of "
      "ADDITIONAL_TARGETS where those exist.",
      "build"};
  // By isolation 'chroot' steps see this process, which holds all secrets of the build and waits for its end.
  sys::hide_memory();
  std::optional<std::string> progress;
  app.add_option("--progress", progress,
                 "how the build is shown: auto, plain, tty, quiet or rawjson (default: BUILDKIT_PROGRESS)")
      ->type_name("NAME");
  app.footer(
      [] { return "Parameters, all of them variables of the environment:\n" + params::parameter_list(); });
  return cli::run_tool(app, argc, argv, [&] { oci_build::build(progress); });
}
