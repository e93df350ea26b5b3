// Paths, told apart by what they are.
#include "common/layer/path_set.hpp"

#include <gtest/gtest.h>

namespace layer {
namespace {

TEST(PathSet, HoldsWhatWasPutIn) {
  PathSet set;
  EXPECT_FALSE(set.contains(""));
  set.insert("a/b/c");
  EXPECT_TRUE(set.contains("a/b/c"));
  for (const char* other : {"", "a", "a/b", "a/b/d", "a/b/c/d", "b", "c", "ab/c"})
    EXPECT_FALSE(set.contains(other)) << other;
  set.clear();
  EXPECT_FALSE(set.contains("a/b/c"));
}

TEST(PathSet, HoldsParentsWhereAskedTo) {
  PathSet set;
  set.insert_with_parents("a/b/c");
  for (const char* path : {"", "a", "a/b", "a/b/c"})
    EXPECT_TRUE(set.contains(path)) << path;
  EXPECT_FALSE(set.contains("b"));
}

TEST(PathSet, TellsManyApart) {
  PathSet set;
  constexpr int count = 100'000;
  const auto path = [](int i) { return std::to_string(i % 317) + "/x" + std::to_string(i); };
  for (int i = 0; i < count; i += 2)
    set.insert(path(i));
  for (int i = 0; i < count; ++i)
    ASSERT_EQ(set.contains(path(i)), i % 2 == 0) << i;
}

}  // namespace
}  // namespace layer
