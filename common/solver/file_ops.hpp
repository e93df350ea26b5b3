// COPY, ADD, inline files and WORKDIR.
#pragma once

#include <map>

#include "common/plan/op.hpp"
#include "common/solver/workshop.hpp"

namespace solver {

// Filesystems of an op's inputs.
using Inputs = std::map<plan::OpId, Filesystem>;

// Each makes the filesystem that the op leaves. Throws util::Error in BuildKit's words.
// In the form of a layer, a copy may leave a draft, since nothing but the packer will read it.
enum class Form { tree, layer };
Filesystem copy(const plan::Copy& op, const Inputs& inputs, Workshop& workshop, Form form);
// Throws what copy() would throw for a source that is not in the build context `from`, where BuildKit knows
// that before it copies anything.
void require_sources(const plan::Copy& op, plan::OpId from, const LocalFiles& files,
                     const sys::Cancellation& cancel);
Filesystem make_file(const plan::MakeFile& op, Workshop& workshop);
Filesystem make_directory(const plan::MakeDirectory& op, const Inputs& inputs, Workshop& workshop);

}  // namespace solver
