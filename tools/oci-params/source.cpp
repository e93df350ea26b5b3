// Finding the context and the Dockerfile.
#include "tools/oci-params/source.hpp"

#include "common/util/error.hpp"
#include "common/util/text.hpp"
#include "tools/oci-params/files.hpp"

namespace params {
namespace {

namespace fs = std::filesystem;

fs::path read_context(const Environment& environment) {
  const std::string parameter = "CONTEXT";
  const auto value = environment.value(parameter).value_or(".");
  // Its login may be part of a URL, so it is not shown.
  if (value.find("://") != std::string::npos || value.starts_with("git@")) {
    throw util::Error(parameter +
                      ": the value is a URL; get it as an input of the task and name its directory");
  }
  require_directory(parameter, value);
  return value;
}

fs::path read_dockerfile(const Environment& environment, const fs::path& context) {
  const auto value = environment.value("DOCKERFILE");
  const fs::path path = value ? fs::path(*value) : (context / "Dockerfile").lexically_normal();
  if (!is_present(path) && path.filename() == "Dockerfile") {
    auto lower_case = path;
    lower_case.replace_filename("dockerfile");
    if (is_present(lower_case)) return lower_case;
  }
  if (!value && !is_present(path)) {
    throw util::Error("DOCKERFILE: there is no " + util::quote(path.string()) +
                      "; set CONTEXT to the directory that holds the Dockerfile, or DOCKERFILE to its path");
  }
  require_file("DOCKERFILE", path);
  return path;
}

}  // namespace

Source read_source(const Environment& environment, Findings& findings) {
  Source source;
  findings.check([&] {
    source.context = read_context(environment);
    source.dockerfile = read_dockerfile(environment, source.context);
  });
  return source;
}

}  // namespace params
