// Patterns: Go's filepath.Match, and what moby/patternmatcher makes of a pattern.
#include "common/context/pattern.hpp"

#include <gtest/gtest.h>

#include "common/util/error.hpp"

namespace {

using context::has_wildcards;
using context::matches_glob;
using context::Pattern;

struct Match {
  const char* pattern;
  const char* path;
  bool matches;
};
void PrintTo(const Match& match, std::ostream* out) {
  *out << match.pattern << " on " << match.path;
}

class Glob : public testing::TestWithParam<Match> {};
TEST_P(Glob, Matches) {
  EXPECT_EQ(matches_glob(GetParam().pattern, GetParam().path), GetParam().matches);
}

INSTANTIATE_TEST_SUITE_P(
    Vectors, Glob,
    testing::Values(Match{"abc", "abc", true}, Match{"abc", "ab", false}, Match{"", "", true},
                    Match{"*", "", true}, Match{"*", "abc", true}, Match{"*c", "abc", true},
                    Match{"a*", "a", true}, Match{"a*", "ab/c", false}, Match{"a*/b", "abc/b", true},
                    Match{"a*/b", "a/c/b", false}, Match{"a*b*c*d*e*/f", "axbxcxdxe/f", true},
                    Match{"a*b*c*d*e*/f", "axbxcxdxexxx/fff", false},
                    Match{"a*b?c*x", "abxbbxdbxebxczzx", true}, Match{"a*b?c*x", "abxbbxdbxebxczzy", false},
                    Match{"ab[c]", "abc", true}, Match{"ab[b-d]", "abc", true},
                    Match{"ab[e-g]", "abc", false}, Match{"ab[^c]", "abc", false},
                    Match{"ab[^e-g]", "abc", true}, Match{"a\\*b", "a*b", true}, Match{"a\\*b", "ab", false},
                    Match{"a?b", "aéb", true}, Match{"a[^a]b", "aéb", true}, Match{"a???b", "aéb", false},
                    Match{"[a-ζ]*", "α", true}, Match{"a?b", "a/b", false}, Match{"a[^x]b", "a/b", true},
                    Match{"[\\]a]", "]", true}, Match{"[\\-]", "-", true}, Match{"[x\\-]", "-", true},
                    Match{"[x\\-]", "z", false}, Match{"*x", "xxx", true}, Match{"[!a]", "!", true}));

TEST(Glob, RefusesMalformedPatternsWhereverTheyAre) {
  for (const char* pattern : {"[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[", "[^", "[^bc", "a[", "a\\", "x[a",
                              "[a-", "[]", "[^]"}) {
    EXPECT_THROW(context::check_glob(pattern), util::Error) << pattern;
    EXPECT_THROW(matches_glob(pattern, "zzz"), util::Error) << pattern;
  }
}

TEST(Glob, HasWildcardsUnlessTheyAreProtected) {
  EXPECT_TRUE(has_wildcards("a*"));
  EXPECT_TRUE(has_wildcards("[a]"));
  EXPECT_TRUE(has_wildcards("a?b"));
  EXPECT_FALSE(has_wildcards("a\\*b\\[c\\?"));
}

class IgnorePattern : public testing::TestWithParam<Match> {};
TEST_P(IgnorePattern, Matches) {
  EXPECT_EQ(Pattern(GetParam().pattern, false).matches(GetParam().path), GetParam().matches);
}

INSTANTIATE_TEST_SUITE_P(Plain, IgnorePattern,
                         testing::Values(Match{"a/b", "a/b", true}, Match{"a/b", "a/b/c", false},
                                         Match{"a.b", "axb", false}, Match{"a+b(c)", "a+b(c)", true},
                                         Match{"*", "a", true}, Match{"*", "a/b", false},
                                         Match{"*.c", ".c", true}, Match{"a?c", "abc", true},
                                         Match{"a?c", "a/c", false}, Match{"[a-c]x", "bx", true},
                                         Match{"[^a-c]x", "bx", false}, Match{"a.*b+", "a.xb+", true},
                                         Match{"a.*b+", "axxb+", false}, Match{"a*b", "a\nb", true}));

INSTANTIATE_TEST_SUITE_P(AnyDepth, IgnorePattern,
                         testing::Values(Match{"**", "a/b/c", true}, Match{"**/a", "a", true},
                                         Match{"**/a", "x/y/a", true}, Match{"**/a", "xa", false},
                                         Match{"**a", "x/ya", true}, Match{"a/**", "a/b/c", true},
                                         Match{"a/**", "a", false}, Match{"a/**/b", "a/b", true},
                                         Match{"a/**/b", "a/x/y/b", true}, Match{"a/**/b", "axb", false},
                                         Match{"**/*.c", "x/y.c", true}, Match{"**/*.c", "y.c", true},
                                         Match{"a**b", "ab", true}, Match{"a**b", "a/x/b", true},
                                         Match{"a**b", "axb", false}, Match{"**/a/**", "x/a/b", true},
                                         Match{"**/a/**", "a/b", true}, Match{"a**", "abc/d", true},
                                         Match{"**/a?", "x/ab", true}, Match{"a/*/**", "a/b/c/d", true}));

INSTANTIATE_TEST_SUITE_P(
    QuirksOfTheTranslation, IgnorePattern,
    testing::Values(Match{"a\\*b", "a*b", true}, Match{"a\\*b", "axb", false},
                    Match{"a\\d", "a1", true},  // an escape before a letter is a class of characters
                    Match{"a\\d", "ad", false}, Match{"\\W", "-", true}, Match{"\\W", "x", false},
                    Match{"a^b*", "a^b", false},  // ^ is an anchor where the pattern is no plain text
                    Match{"a^b", "a^b", true}, Match{"^a*", "ab", true}, Match{"[*]", "*", false},
                    Match{"[*]", "/]", true},  // * is translated in brackets too
                    Match{"[\\d]x", "7x", true}));

TEST(IgnorePattern, IsRefusedIfItIsMalformed) {
  for (const char* pattern : {"[", "a[]b", "a\\", "[z-a]x", "a\\q"}) {
    EXPECT_THROW(Pattern(pattern, false), util::Error) << pattern;
  }
}

TEST(IgnorePattern, NeedsNoTimeForManyStars) {
  std::string pattern;
  for (int i = 0; i < 100; ++i)
    pattern += "*a";
  EXPECT_FALSE(Pattern(pattern + "b", false).matches(std::string(5000, 'a')));
}

}  // namespace
