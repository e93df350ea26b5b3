// A set of paths that stays small for millions of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace layer {

// Paths of components with '/' between them; the root is empty. What paths share they share here, too: a path
// costs the bytes of its last component and some 20 more. Components are compared, not only their hashes, and
// hashes depend on a random number: no archive can choose names that are taken for each other or are slow to
// find.
class PathSet {
public:
  PathSet();

  // Throws util::Error beyond 4 GiB of names.
  void insert(std::string_view path);
  void insert_with_parents(std::string_view path);
  bool contains(std::string_view path) const;
  void clear();

private:
  using Index = std::uint32_t;

  struct Node {
    Index parent;
    std::uint32_t name;  // where it begins in names_
    std::uint32_t size : 31;
    std::uint32_t is_member : 1;
  };

  Index add(std::string_view path, bool with_parents);
  std::size_t slot_of(Index parent, std::string_view name) const;
  std::size_t hash(Index parent, std::string_view name) const;
  void grow();

  std::uint64_t key_;
  std::vector<Node> nodes_;   // the root is the first
  std::string names_;         // of all nodes, one after another
  std::vector<Index> slots_;  // hash table of nodes but the root; 0 = empty
};

}  // namespace layer
