// What both engines are to the rest of the project.
#pragma once

#include <filesystem>
#include <string>

#include "common/document/request.hpp"
#include "common/document/result.hpp"

namespace engine {

class Engine {
public:
  virtual ~Engine() = default;

  virtual std::string name() const = 0;

  // Builds every target of `request` (preloads already laid out) and leaves each image whole in the target's
  // output directory: OUTPUT/image.tar, or the directory OUTPUT/image for OutputFormat::oci. `work_dir` is
  // private to this build and removed afterwards by the caller. Progress goes to stderr. Throws util::Error
  // with the exit code of what failed; then no output exists, and no process or mount of the build is left.
  virtual document::Result build(const document::Request& request, const std::filesystem::path& work_dir) = 0;
};

}  // namespace engine
