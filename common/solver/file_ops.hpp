// COPY, ADD, inline files and WORKDIR.
#pragma once

#include <map>

#include "common/plan/op.hpp"
#include "common/solver/content.hpp"
#include "common/solver/workshop.hpp"

namespace solver {

// Filesystems of an op's inputs; of a --link, which changes nothing that is there, without its base.
using Inputs = std::map<plan::OpId, Filesystem>;

// To be read, mounted as long as it is used.
std::shared_ptr<SourceTree> open_source(const Filesystem& filesystem, Workshop& workshop);

// Each makes the change that the op is. Throws util::Error in BuildKit's words.
// In the form of a layer, a copy may leave a draft, since nothing but the packer will read it.
enum class Form { tree, layer };
Change copy(const plan::Copy& op, const Inputs& inputs, Workshop& workshop, Form form);
// What one source of it selects of the filesystem `from`. Throws as copy() does.
Content content(const plan::Copy& op, const plan::Copy::Source& source, const Filesystem& from,
                Workshop& workshop);
// Throws what copy() would throw for a source that is not in the build context `from`, where BuildKit knows
// that before it copies anything.
void require_sources(const plan::Copy& op, plan::OpId from, const LocalFiles& files,
                     const sys::Cancellation& cancel);
Change make_file(const plan::MakeFile& op, Workshop& workshop);
Change make_directory(const plan::MakeDirectory& op, const Inputs& inputs, Workshop& workshop);

}  // namespace solver
