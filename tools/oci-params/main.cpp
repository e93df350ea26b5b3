// oci-params: the task's environment as a request document.
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "common/cli/run_tool.hpp"
#include "common/util/log.hpp"
#include "tools/oci-params/parameters.hpp"
#include "tools/oci-params/read_request.hpp"

int main(int argc, char** argv) {
  CLI::App app{
      "Read the parameters of a build from the environment, check them, and print the request document "
      "that oci-preload and oci-solve take.\n"
      "Paths are relative to the current directory. The parameters are described in oci-params(1).",
      "oci-params"};
  bool list = false;
  app.add_flag("--list", list, "print every parameter with one line about it, and read nothing");
  return cli::run_tool(app, argc, argv, [&] {
    if (list) {
      std::fputs(params::parameter_list().c_str(), stdout);
      return;
    }
    params::Findings findings;
    const auto request = params::read_request(params::Environment(environ), findings);
    for (const auto& warning : findings.warnings())
      util::log::warning(warning);
    findings.throw_errors();
    std::printf("%s\n", document::to_json(request).c_str());
  });
}
