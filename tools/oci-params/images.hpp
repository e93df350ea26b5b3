// Images and directories on disk that stand in for what a Dockerfile names: IMAGE_ARG_*, BUILD_CONTEXTS.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/document/request.hpp"
#include "tools/oci-params/environment.hpp"
#include "tools/oci-params/findings.hpp"

namespace params {

// The images of IMAGE_ARG_*, sorted by name.
std::vector<document::Preload> read_image_args(const Environment& environment, Findings& findings);

struct BuildContexts {
  std::vector<document::Preload> images;
  std::vector<document::Context> directories;
};

// BUILD_CONTEXTS in the order of its entries. A file, or a directory that holds an OCI layout, is an image;
// any other directory is one.
BuildContexts read_build_contexts(const Environment& environment, Findings& findings);

}  // namespace params
