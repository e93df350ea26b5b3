// Which files a build reads from outside its image, and a warning about those that are ignored.
#pragma once

#include <filesystem>

#include "common/context/ignore.hpp"
#include "common/dockerfile/instruction.hpp"
#include "common/dockerfile/lint.hpp"

namespace context {

// Where the Dockerfile lies that `wanted` names: itself, or, if it is called "Dockerfile" and is not there,
// "dockerfile" beside it. Its ignore file goes by the wanted name in either case. Links are followed as
// sys::path_within does in `context`, so that no repository has files of the machine read. Throws util::Error
// if there is neither.
std::filesystem::path find_dockerfile(const std::filesystem::path& context,
                                      const std::filesystem::path& wanted);

// Warns (CopyIgnoredFile) of each path that an expanded COPY or ADD takes from the build context and that the
// ignore file leaves out of it.
void warn_of_ignored_sources(const dockerfile::Instruction& instruction, const Ignore& ignore,
                             dockerfile::Lint& lint);

}  // namespace context
