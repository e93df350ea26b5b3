// What the sources of a COPY or ADD mean in the files that they name.
#pragma once

#include <string>
#include <vector>

#include "common/plan/op.hpp"
#include "common/solver/copier.hpp"
#include "common/solver/source_tree.hpp"
#include "common/solver/trees.hpp"

namespace solver {

// Where the files of a copy come from: what is there, and what of it BuildKit would see.
struct From {
  SourceTree& tree;
  SourceTree* sent = nullptr;  // of a context

  SourceTree& seen() const noexcept { return sent != nullptr ? *sent : tree; }
};

From context_of(const LocalFiles& files);

struct FoundPath {
  std::string path;      // as the source names it
  std::string followed;  // where that leads
};

// Whether BuildKit looks for a source before it copies: not for what comes from the very filesystem that is
// copied into, nor for what lies below another source.
bool is_looked_for(const plan::Copy& op, const plan::Copy::Source& source);

// What one source of a copy means; sets what `options` need for it. Throws where it is not there:
// dockerfile::SyntaxError what BuildKit finds out before it copies anything.
std::vector<FoundPath> find_source(const plan::Copy& op, const plan::Copy::Source& source, const From& from,
                                   CopyOptions& options);

// With --parents and --exclude BuildKit asks of each symlink at the top of what it copies what it leads to,
// before it copies: of the source `path` itself, or, where that is the root, of what lies there. Throws
// dockerfile::SyntaxError.
void require_targets(const plan::Copy& op, const plan::Copy::Source& source, const std::string& path,
                     const From& from, const CopyOptions& options);

}  // namespace solver
