// The values of ARGs: those given for the build, the predefined ones, and those before the first FROM.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/dockerfile/expand.hpp"
#include "common/dockerfile/file.hpp"
#include "common/image/descriptor.hpp"

namespace dockerfile {

// What a build is given from outside.
struct BuildInputs {
  std::map<std::string, std::string> build_args;
  image::Platform build_platform;
  image::Platform target_platform;
  std::string target;  // the stage asked for; empty: the last one
};

// The scope that FROM lines see, and that an ARG without a value takes its value from.
class GlobalScope {
public:
  // Throws Error that shows the place of an ARG whose default is malformed.
  GlobalScope(const File& file, const BuildInputs& inputs);

  const Environment& environment() const noexcept { return environment_; }
  const std::map<std::string, std::string>& build_args() const noexcept { return build_args_; }
  const std::vector<std::string>& declared_names() const noexcept { return declared_names_; }

  // The environment as it would be without any build arg but those of the predefined names.
  const std::optional<Environment>& defaults() const noexcept { return defaults_; }

private:
  std::map<std::string, std::string> build_args_;
  Environment environment_;
  std::optional<Environment> defaults_;  // nothing if a default is malformed
  std::vector<std::string> declared_names_;
};

// The proxy settings among the build args, by their names in capitals: HTTP_PROXY, HTTPS_PROXY, FTP_PROXY,
// NO_PROXY, ALL_PROXY. Every RUN gets them in both cases without an ARG. Where two names differ in case only,
// the later in byte order counts.
std::map<std::string, std::string> proxy_settings(const std::map<std::string, std::string>& build_args);

// True for the args that steer the builder and never reach a step's environment.
bool is_builder_arg(const std::string& name);

}  // namespace dockerfile
