// Components, and symlinks on the way.
#include "common/sys/path_walk.hpp"

#include <gtest/gtest.h>

#include <map>

namespace {

// Where the path leads where these symlinks are, "gone" is not there and all else is.
std::string walked(std::string_view path, const std::map<std::string, std::string>& links, int most = 40) {
  const auto end = sys::walk_links(path, most, [&](const sys::RootedPath& place, const sys::PathWalk&) {
    using Kind = sys::Met::Kind;
    const auto link = links.find(place.str());
    if (link != links.end()) return sys::Met{Kind::symlink, link->second};
    return sys::Met{place.name() == "gone" ? Kind::nothing : Kind::passage};
  });
  if (end.end == sys::WalkedTo::End::too_many_links) return "a circle";
  return (end.end == sys::WalkedTo::End::nothing ? "nothing below /" : "/") + end.place.str();
}

TEST(PathWalk, GivesComponentsAndWhatIsLeft) {
  sys::PathWalk walk("//a/./b//", 1);
  EXPECT_EQ(walk.next(), "a");
  EXPECT_TRUE(walk.follow("x/y"));
  EXPECT_EQ(walk.next(), "x");
  EXPECT_EQ(walk.next(), "y");
  EXPECT_EQ(walk.next(), "b");
  EXPECT_FALSE(walk.at_end());  // the slash says that it is to be a directory
  EXPECT_EQ(walk.next(), std::nullopt);
  EXPECT_TRUE(walk.at_end());
  EXPECT_FALSE(walk.follow("z"));
}

TEST(PathWalk, FollowsLinksInsideTheRoot) {
  EXPECT_EQ(walked("a/../../b/c", {}), "/b/c");
  EXPECT_EQ(walked("a/l/c", {{"a/l", "../x"}}), "/x/c");
  EXPECT_EQ(walked("a/l/c", {{"a/l", "/x/./y/"}}), "/x/y/c");
  EXPECT_EQ(walked("l", {{"l", "../../.."}}), "/");
  EXPECT_EQ(walked("l/..", {{"l", "a/b"}}), "/a");
  EXPECT_EQ(walked("a/gone/b", {}), "nothing below /a");
}

TEST(PathWalk, CountsLinks) {
  EXPECT_EQ(walked("l", {{"l", "l"}}), "a circle");
  EXPECT_EQ(walked("a/b", {{"a", "c"}, {"c/b", "d"}}, 2), "/c/d");
  EXPECT_EQ(walked("a/b", {{"a", "c"}, {"c/b", "d"}}, 1), "a circle");
}

}  // namespace
