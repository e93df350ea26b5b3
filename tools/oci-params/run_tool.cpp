// The options of oci-params.
#include "tools/oci-params/run_tool.hpp"

#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "common/cli/run_tool.hpp"
#include "common/util/log.hpp"
#include "tools/oci-params/parameters.hpp"
#include "tools/oci-params/read_request.hpp"

namespace params {

int run_tool(int argc, char** argv) {
  CLI::App app{
      "Read the parameters of a build from the environment, check them, and print the request document "
      "that oci-preload and oci-solve take.\n"
      "Paths are relative to the current directory. The parameters are described in oci-params(1).",
      "oci-params"};
  bool list = false;
  app.add_flag("--list", list, "print every parameter with one line about it, and read nothing");
  return cli::run_tool(app, argc, argv, [&] {
    if (list) {
      std::fputs(parameter_list().c_str(), stdout);
      return;
    }
    Findings findings;
    const auto request = read_request(Environment(environ), findings);
    for (const auto& warning : findings.warnings())
      util::log::warning(warning);
    findings.throw_errors();
    std::printf("%s\n", document::to_json(request).c_str());
  });
}

}  // namespace params
