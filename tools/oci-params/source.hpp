// What is built from: CONTEXT and DOCKERFILE.
#pragma once

#include <filesystem>

#include "tools/oci-params/environment.hpp"
#include "tools/oci-params/findings.hpp"

namespace params {

struct Source {
  std::filesystem::path context;
  std::filesystem::path dockerfile;
};

// Both exist. A Dockerfile may also be called dockerfile, as BuildKit allows.
Source read_source(const Environment& environment, Findings& findings);

}  // namespace params
