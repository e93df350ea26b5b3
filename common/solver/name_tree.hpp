// A tree of names in little memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace solver {

// Names as paths have them, each with a value: some 30 bytes for a name beside its own characters and its
// value, where a map of paths takes ten times that. Nodes are never moved; what is erased still takes its
// memory.
template <typename Value>
class NameTree {
public:
  class Node {
  public:
    Value value = {};

  private:
    friend NameTree;
    std::uint32_t index = 0;
    std::uint32_t parent = 0;
    std::uint32_t next = 0;  // of the same directory; 0: the last one
    std::uint32_t first_child = 0;
    std::uint32_t last_child = 0;
    std::uint32_t name_length = 0;  // 0: erased
    std::uint64_t name_at = 0;
  };

  NameTree() { nodes_.emplace_back(); }

  Node& root() { return nodes_.front(); }

  // Null if there is none.
  Node* child(const Node& parent, std::string_view name) {
    if (slots_.empty()) return nullptr;
    const auto slot = slots_[slot_of(parent.index, name)];
    return slot == none ? nullptr : &nodes_[slot];
  }

  // The node at the end of a path without slashes at either end, "" for the root; null if there is none.
  Node* find(std::string_view path) {
    Node* node = &root();
    while (!path.empty() && node != nullptr) {
      const auto name = path.substr(0, path.find('/'));
      path.remove_prefix(std::min(name.size() + 1, path.size()));
      node = child(*node, name);
    }
    return node;
  }

  // There must be none of this name.
  Node& add(Node& parent, std::string_view name) {
    if (2 * (used_ + 1) > slots_.size()) grow();
    auto& node = nodes_.emplace_back();
    node.index = static_cast<std::uint32_t>(nodes_.size() - 1);
    node.parent = parent.index;
    node.name_at = names_.size();
    node.name_length = static_cast<std::uint32_t>(name.size());
    names_ += name;
    (parent.last_child == 0 ? parent.first_child : nodes_[parent.last_child].next) = node.index;
    parent.last_child = node.index;
    slots_[slot_of(node.parent, name)] = node.index;
    ++used_;
    return node;
  }

  // With all that lies below.
  void erase(Node& node) { node.name_length = 0; }

  // Shows each name in a directory with its node, in the order in which they were added.
  template <typename Visit>
  void for_each_child(const Node& directory, const Visit& visit) const {
    for (auto i = directory.first_child; i != 0; i = nodes_[i].next) {
      if (nodes_[i].name_length > 0) visit(name_of(nodes_[i]), nodes_[i]);
    }
  }

private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  std::string_view name_of(const Node& node) const {
    return std::string_view(names_).substr(node.name_at, node.name_length);
  }

  // Where the node of this name is, or where it belongs.
  std::size_t slot_of(std::uint32_t parent, std::string_view name) const {
    constexpr std::size_t spread = 0x9e3779b97f4a7c15;  // of consecutive numbers over all bits
    const auto mask = slots_.size() - 1;
    auto slot = (std::hash<std::string_view>()(name) ^ (parent + 1) * spread) & mask;
    while (slots_[slot] != none &&
           (nodes_[slots_[slot]].parent != parent || name_of(nodes_[slots_[slot]]) != name))
      slot = (slot + 1) & mask;
    return slot;
  }

  void grow() {
    slots_.assign(std::max<std::size_t>(64, 2 * slots_.size()), none);
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
      if (nodes_[i].name_length > 0)
        slots_[slot_of(nodes_[i].parent, name_of(nodes_[i]))] = static_cast<std::uint32_t>(i);
    }
  }

  std::deque<Node> nodes_;
  std::string names_;
  std::vector<std::uint32_t> slots_;  // by the hash of parent and name; as many as a power of two
  std::size_t used_ = 0;
};

}  // namespace solver
