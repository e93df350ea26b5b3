#include "common/layer/whiteout.hpp"

#include <gtest/gtest.h>

#include "common/util/error.hpp"

using layer::parse_whiteout;
using Kind = layer::Whiteout::Kind;

TEST(Whiteout, HidesTheNameBesideIt) {
  EXPECT_EQ(parse_whiteout("a/b/.wh.c").kind, Kind::name);
  EXPECT_EQ(parse_whiteout("a/b/.wh.c").hidden, "c");
  EXPECT_EQ(parse_whiteout(".wh.c").hidden, "c");
  EXPECT_EQ(parse_whiteout(".wh..c").hidden, ".c");
  EXPECT_EQ(parse_whiteout(".wh....").hidden, "...");
}

TEST(Whiteout, MarksADirectoryAsOpaque) {
  EXPECT_EQ(parse_whiteout("a/b/.wh..wh..opq").kind, Kind::opaque);
  EXPECT_EQ(parse_whiteout(".wh..wh..opq").kind, Kind::opaque);
}

TEST(Whiteout, KeepsOtherNamesOfAufsApart) {
  for (const auto name :
       {".wh..wh.plnk", ".wh..wh.plnk/12.34", "a/.wh..wh.orph/b", ".wh..wh.", ".wh..wh.x"}) {
    EXPECT_EQ(parse_whiteout(name).kind, Kind::reserved) << name;
  }
}

TEST(Whiteout, LeavesOrdinaryNamesAlone) {
  for (const auto name : {"", "a", "a/b", ".wh", "a.wh.b", "a/.whx"})
    EXPECT_EQ(parse_whiteout(name).kind, Kind::none) << name;
}

TEST(Whiteout, RefusesToHideWhatIsNoName) {
  for (const auto name : {".wh.", "a/.wh.", "a/.wh..", "a/.wh...", ".wh.a/b"}) {
    EXPECT_THROW(parse_whiteout(name), util::Error) << name;
  }
}
