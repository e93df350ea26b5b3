// A trie whose edges lie in one hash table.
#include "common/layer/path_set.hpp"

#include <limits>
#include <random>

#include "common/util/error.hpp"

namespace layer {
namespace {

constexpr std::size_t first_slots = 64;

std::string_view take_front(std::string_view& path) {
  const auto slash = path.find('/');
  const auto component = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return component;
}

}  // namespace

PathSet::PathSet() {
  std::random_device random;
  key_ = (std::uint64_t{random()} << 32 | random()) | 1;
  clear();
}

void PathSet::clear() {
  nodes_.assign(1, Node{.parent = 0, .name = 0, .size = 0, .is_member = 0});
  names_.clear();
  slots_.assign(first_slots, 0);
}

void PathSet::insert(std::string_view path) {
  nodes_[add(path, false)].is_member = 1;
}

void PathSet::insert_with_parents(std::string_view path) {
  add(path, true);
}

bool PathSet::contains(std::string_view path) const {
  Index node = 0;
  while (!path.empty()) {
    node = slots_[slot_of(node, take_front(path))];
    if (node == 0) return false;
  }
  return nodes_[node].is_member != 0;
}

PathSet::Index PathSet::add(std::string_view path, bool with_parents) {
  Index node = 0;
  if (with_parents) nodes_[node].is_member = 1;
  while (!path.empty()) {
    const auto name = take_front(path);
    auto slot = slot_of(node, name);
    if (slots_[slot] == 0) {
      if (names_.size() + name.size() > std::numeric_limits<std::uint32_t>::max() ||
          nodes_.size() > std::numeric_limits<Index>::max() / 2)
        throw util::Error("the layer has too many names");
      if (nodes_.size() * 4 > slots_.size() * 3) {
        grow();
        slot = slot_of(node, name);
      }
      slots_[slot] = static_cast<Index>(nodes_.size());
      nodes_.push_back({.parent = node,
                        .name = static_cast<std::uint32_t>(names_.size()),
                        .size = static_cast<std::uint32_t>(name.size()) & 0x7FFFFFFF,
                        .is_member = 0});
      names_ += name;
    }
    node = slots_[slot];
    if (with_parents) nodes_[node].is_member = 1;
  }
  return node;
}

// Where the node is, or the empty slot where it belongs.
std::size_t PathSet::slot_of(Index parent, std::string_view name) const {
  auto slot = hash(parent, name) & (slots_.size() - 1);
  for (; slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1)) {
    const Node& node = nodes_[slots_[slot]];
    if (node.parent == parent && std::string_view(names_).substr(node.name, node.size) == name) break;
  }
  return slot;
}

std::size_t PathSet::hash(Index parent, std::string_view name) const {
  std::uint64_t value = (parent + key_) * key_;
  for (const char byte : name)
    value = ((value ^ (value >> 32)) + static_cast<unsigned char>(byte)) * key_;
  return value ^ (value >> 32);
}

void PathSet::grow() {
  slots_.assign(slots_.size() * 2, 0);
  for (Index node = 1; node < nodes_.size(); ++node) {
    const auto name = std::string_view(names_).substr(nodes_[node].name, nodes_[node].size);
    slots_[slot_of(nodes_[node].parent, name)] = node;
  }
}

}  // namespace layer
