// Keeps directories of the build itself out of the context it sends.
#pragma once

#include <filesystem>
#include <vector>

namespace oci_build {

// Outputs mostly lie inside the context (both default to the working directory), so COPY . would take the
// staging directories along, under a new name every time. For those of `hidden` that lie inside `context`,
// copies `dockerfile` into a new directory inside `work_dir`, with an ignore file beside it
// (NAME.dockerignore wins over the context's .dockerignore) that holds the user's own rules and hides them.
// Returns the copy's path; `dockerfile` itself when nothing is to be hidden. Throws util::Error.
std::filesystem::path hide_from_context(const std::filesystem::path& context,
                                        const std::filesystem::path& dockerfile,
                                        const std::vector<std::filesystem::path>& hidden,
                                        const std::filesystem::path& work_dir);

}  // namespace oci_build
