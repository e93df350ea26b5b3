// Gives the images of a request a form that the engine can use.
#pragma once

#include <filesystem>

#include "common/document/request.hpp"

namespace oci_preload {

// Fills in the layout of every preload that has none: all images go to one OCI layout directory, "preloads"
// in `work_dir`, each under the preload's name. An image that is given twice is laid out once. Without such
// preloads nothing is made. Throws util::Error naming the parameter; then nothing is left in `work_dir`.
void lay_out(document::Request& request, const std::filesystem::path& work_dir);

}  // namespace oci_preload
