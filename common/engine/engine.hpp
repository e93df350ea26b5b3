// What both engines are to the rest of the project: whoever builds one request.
#pragma once

#include <string>

#include "common/document/result.hpp"

namespace engine {

class Engine {
public:
  virtual ~Engine() = default;

  virtual std::string name() const = 0;

  // Builds every target of the request (preloads already laid out) that the engine was made for, once, and
  // leaves each image whole in the target's output directory: OUTPUT/image.tar, or the directory OUTPUT/image
  // for OutputFormat::oci. Progress goes to stderr. Throws util::Error with the exit code of what failed;
  // then no output exists, and no process or mount of the build is left.
  virtual document::Result build() = 0;
};

}  // namespace engine
