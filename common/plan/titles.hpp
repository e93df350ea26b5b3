// What progress calls a step, as BuildKit does.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "common/dockerfile/environment.hpp"
#include "common/image/descriptor.hpp"

namespace plan {

// Where a step stands in its stage.
struct StepPlace {
  std::optional<image::Platform> platform;  // named where there may be several
  std::string stage;                        // empty: none is named
  std::ptrdiff_t number = 1;
  std::ptrdiff_t total = 1;
};

// "[linux/amd64->arm64 build 2/12] RUN make", of "RUN make" whose stage runs on amd64 and has an ARG that
// says what it is to build for.
std::string step_title(const StepPlace& place, const dockerfile::Environment& environment,
                       const std::string& text);

}  // namespace plan
