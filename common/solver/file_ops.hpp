// COPY, ADD, inline files and WORKDIR.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "common/plan/op.hpp"
#include "common/solver/content.hpp"
#include "common/solver/trees.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

// To be read, mounted as long as it is used.
std::shared_ptr<SourceTree> open_source(const Filesystem& filesystem, snapshot::Snapshotter& snapshotter);

// Each makes the change that the op is. Throws util::Error in BuildKit's words.
// In the form of a layer, a copy may leave a draft, since nothing but the packer will read it.
enum class Form { tree, layer };
Change copy(const plan::Copy& op, const Inputs& inputs, Form form, Trees& trees,
            const sys::Cancellation& cancel);
// What one source of it selects of the filesystem `from`. Throws as copy() does.
Content content(const plan::Copy& op, const plan::Copy::Source& source, const Filesystem& from,
                snapshot::Snapshotter& snapshotter, const sys::Cancellation& cancel);
// Throws what copy() would throw for a source that is not in the build context `from`, where BuildKit knows
// that before it copies anything.
void require_sources(const plan::Copy& op, plan::OpId from, const LocalFiles& files,
                     const sys::Cancellation& cancel);
Change make_file(const plan::MakeFile& op, Trees& trees);
// New directories are of the time `epoch` (SOURCE_DATE_EPOCH) if there is one.
Change make_directory(const plan::MakeDirectory& op, const Inputs& inputs, Trees& trees,
                      std::optional<std::int64_t> epoch);

}  // namespace solver
