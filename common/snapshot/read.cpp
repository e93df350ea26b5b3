// Stacks as they are seen.
#include "common/layer/merged.hpp"
#include "common/snapshot/snapshotter.hpp"

namespace snapshot {

std::unique_ptr<layer::ChangeSet> read(const Stack& stack) {
  std::vector<std::unique_ptr<layer::ChangeSet>> trees;
  for (const auto& tree : stack.trees)
    trees.push_back(layer::directory_changes(tree));
  return layer::merged(std::move(trees));
}

}  // namespace snapshot
