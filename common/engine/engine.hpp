// What both engines are to the rest of the project: whoever builds one request.
#pragma once

#include <optional>
#include <string>

#include "common/document/plan.hpp"
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

  // In place of that: what it would do, and why. No output and no cache changes. Nothing where the engine
  // cannot tell. Throws what build() would throw before its first step.
  virtual std::optional<document::Plan> plan() { return std::nullopt; }
};

}  // namespace engine
