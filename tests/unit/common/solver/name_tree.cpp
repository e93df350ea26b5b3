// Finding, listing and erasing names.
#include "common/solver/name_tree.hpp"

#include <gtest/gtest.h>

namespace {

using Tree = solver::NameTree<int>;

std::string listed(Tree& tree, Tree::Node& directory) {
  std::string text;
  tree.for_each_child(directory, [&](std::string_view name, const Tree::Node& node) {
    text += std::string(name) + "=" + std::to_string(node.value) + " ";
  });
  return text;
}

TEST(NameTree, FindsWhatWasAddedByItsPath) {
  Tree tree;
  auto& directory = tree.add(tree.root(), "a");
  tree.add(directory, "b").value = 1;
  tree.add(tree.root(), "b").value = 2;
  EXPECT_EQ(tree.find("a/b")->value, 1);
  EXPECT_EQ(tree.find("b")->value, 2);
  EXPECT_EQ(tree.find(""), &tree.root());
  for (const auto* path : {"c", "a/c", "b/b", "a/b/c", "ab"})
    EXPECT_EQ(tree.find(path), nullptr) << path;
  EXPECT_EQ(listed(tree, tree.root()), "a=0 b=2 ");
}

TEST(NameTree, KeepsVeryManyNamesApart) {
  constexpr int count = 100;
  Tree tree;
  for (int i = 0; i < count; ++i) {
    auto& directory = tree.add(tree.root(), std::to_string(i));
    for (int k = 0; k < count; ++k)
      tree.add(directory, std::to_string(k)).value = count * i + k;
  }
  for (int i = 0; i < count; ++i) {
    for (int k = 0; k < count; ++k)
      ASSERT_EQ(tree.find(std::to_string(i) + "/" + std::to_string(k))->value, count * i + k);
  }
}

TEST(NameTree, ForgetsWhatIsErasedWithAllBelowIt) {
  Tree tree;
  auto& directory = tree.add(tree.root(), "a");
  tree.add(directory, "b");
  tree.erase(directory);
  EXPECT_EQ(tree.find("a"), nullptr);
  EXPECT_EQ(listed(tree, tree.root()), "");
  tree.add(tree.root(), "a").value = 3;
  EXPECT_EQ(tree.find("a/b"), nullptr);
  // More names than there is room for: all are put anew.
  for (int i = 0; i < 1000; ++i)
    tree.add(tree.root(), "n" + std::to_string(i));
  EXPECT_EQ(tree.find("a")->value, 3);
  EXPECT_EQ(tree.find("a/b"), nullptr);
}

}  // namespace
