// COPY, ADD, inline files and WORKDIR.
#pragma once

#include <map>

#include "common/plan/op.hpp"
#include "common/solver/workshop.hpp"

namespace solver {

// Filesystems of an op's inputs.
using Inputs = std::map<plan::OpId, Filesystem>;

// Each makes the filesystem that the op leaves. Throws util::Error in BuildKit's words.
Filesystem copy(const plan::Copy& op, const Inputs& inputs, Workshop& workshop);
Filesystem make_file(const plan::MakeFile& op, Workshop& workshop);
Filesystem make_directory(const plan::MakeDirectory& op, const Inputs& inputs, Workshop& workshop);

}  // namespace solver
