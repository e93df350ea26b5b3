// What the instructions of a stage depend on and change, beside files.
#pragma once

#include <string>
#include <vector>

#include "common/dockerfile/expand.hpp"
#include "common/dockerfile/instruction.hpp"

namespace dockerfile {

struct StageState {
  Environment environment;             // ENV and ARG, as RUN sees them
  std::vector<std::string> image_env;  // "NAME=value": the image config's Env
  std::vector<Declaration> args;       // every ARG so far with its value
  std::string working_dir;             // the image config's WorkingDir
  std::vector<std::string> shell;      // of SHELL; empty: the default
  bool workdir_set = false;            // by an instruction of this file
  bool image_env_last = true;          // setting image_env again, entry for entry, would change nothing

  // The start of a stage from an image with this config; PATH is added where it is missing.
  static StageState from_image(const std::vector<std::string>& env, const std::string& working_dir,
                               const std::vector<std::string>& shell);
  // The start of a stage "FROM scratch".
  static StageState from_scratch();
  // The start of a stage from another one that ended in `parent`.
  static StageState from_stage(StageState parent);

  // In the environment of RUN alone.
  void set_arg(const std::string& name, const std::string& value);
  // In both environments; in the image's a known name keeps its place.
  void set_env(const std::string& name, const std::string& value);
  // Below the current one unless absolute; an absolute path is taken as it stands, not cleaned.
  void set_working_dir(const std::string& path);
};

}  // namespace dockerfile
