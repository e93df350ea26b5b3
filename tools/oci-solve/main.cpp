// oci-solve: builds what a request asks for and tells what came out.
#include <cstdio>
#include <optional>

#include "common/cli/run_tool.hpp"
#include "tools/oci-solve/solve.hpp"

int main(int argc, char** argv) {
  CLI::App app{
      "Build what the request on stdin asks for (see oci-params and oci-preload); leave the images in the "
      "output "
      "directories and print the result as JSON.",
      "oci-solve"};
  oci_solve::Options options;
  app.add_option("--engine", options.engine,
                 "what builds: auto, native or buildkit (default: what the request says)")
      ->type_name("NAME");
  app.add_option(
         "--isolation", options.isolation,
         "how native steps run: auto, namespaces, userns, chroot or copies (default: what the request "
         "says)")
      ->type_name("NAME");
  app.add_option(
         "--progress", options.progress,
         "how the build is shown: auto, plain, tty, quiet or rawjson (default: what the request says)")
      ->type_name("NAME");
  app.add_option("--graph", options.graph,
                 "file to show the steps in afterwards, with times and cache hits: FILE.html or FILE.dot")
      ->type_name("FILE");
  app.add_option(
         "--work-dir", options.work_dir,
         "private directory for temporary files, which stays empty afterwards (default: a temporary one)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory.description(""));
  app.add_option("--state-dir", options.state_dir,
                 "where the native engine keeps base images for the next build, unless the request names a "
                 "cache (default: nowhere)")
      ->type_name("DIR");
  app.add_option("--start-timeout", options.start_timeout,
                 "how long BuildKit may take to start (default: 60)")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 86400).description(""));
  auto* plan =
      app.add_flag("--plan", options.plan,
                   "build nothing, but print of each step whether it is cached or would run, and why");
  app.add_flag("--json", options.json, "print the plan as JSON")->needs(plan);
  return cli::run_tool(app, argc, argv, [&] { oci_solve::run(options, stdout); });
}
