// RUN.
#pragma once

#include "common/solver/file_ops.hpp"

namespace solver {

// Throws dockerfile::SyntaxError if the step asks for what the request does not grant.
void require_entitlements(const plan::Run& op, const document::Request& request);

// Throws util::Error for a bind mount of what is not in the build context `from`.
void require_sources(const plan::Run& op, plan::OpId from, const LocalFiles& files);

// Runs the step in a sandbox over its input's filesystem. Its output goes to `vertex`. Throws util::Error,
// for a step that fails in BuildKit's words with its exit code.
Change run(const plan::Run& op, const Inputs& inputs, Workshop& workshop, engine::Progress::Vertex& vertex);

// What a mount with a `from` shows of it. Throws util::Error.
Content content(const plan::Run::Mount& mount, const Filesystem& from, Workshop& workshop);

}  // namespace solver
