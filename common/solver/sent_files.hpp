// Which files of a build context its client sends to BuildKit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/plan/op.hpp"
#include "common/solver/source_tree.hpp"

namespace solver {

// What some op of a plan names as a source in the context `local`; "" is all of it.
std::vector<std::string> sources_in(const std::vector<plan::Op>& ops, plan::OpId local);

// `tree` with no other files than these: what matches one of `sources` or lies below such a thing, what
// symlinks on the way lead to, and the directories above. It differs from `tree` in what is said of a path
// that is not there, and behind links that no source names without wildcards. Slow where much is not sent.
// Thread-safe where `tree` is; size() is quick.
std::unique_ptr<SourceTree> sent_files(std::shared_ptr<SourceTree> tree, std::vector<std::string> sources);

}  // namespace solver
