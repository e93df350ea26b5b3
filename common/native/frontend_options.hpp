// What BuildKit's Dockerfile frontend takes by names of its own: build args that steer it, and options.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/document/request.hpp"

namespace native {

// What becomes of one of them.
enum class Treatment {
  honoured,          // the image is the one that BuildKit makes of it
  without_effect,    // other clients than buildctl read it; BuildKit makes nothing of it either
  left_to_buildkit,  // a build that gives it is BuildKit's
  of_no_parameter,   // no parameter of the task can set it
};

struct FrontendOption {
  std::string_view name;  // one that ends in '*' or ':' stands for all that begin so
  Treatment treatment;
  std::string_view note;  // what it is for, or who gives it
};

// The build args that mean something without an ARG, as of BuildKit 0.34.
std::span<const FrontendOption> builtin_args();

// The options (--opt of buildctl) of the same frontend.
std::span<const FrontendOption> frontend_options();

// The first build arg of `request` that is left to BuildKit; nothing if there is none.
std::optional<std::string> left_out_argument(const document::Request& request);

// Throws util::Error, as BuildKit does, where a build arg asks for what BuildKit does no more.
void refuse_removed_arguments(const document::Request& request);

}  // namespace native
