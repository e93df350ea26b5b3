// Expansion of words.
#include "common/dockerfile/expand.hpp"

#include <gtest/gtest.h>

#include "common/dockerfile/source.hpp"

namespace {

using dockerfile::Environment;
using dockerfile::expand;
using dockerfile::ExpandOptions;
using dockerfile::SyntaxError;
using Words = std::vector<std::string>;

Environment sample() {
  Environment environment;
  environment.set("set", "value");
  environment.set("empty", "");
  environment.set("path", "/usr/lib/x.tar.gz");
  environment.set("fruit", "banana");
  environment.set("blanks", " a  b ");
  environment.set("stars", "a*b?c\\d/e}f");
  environment.set("名前", "yes");
  return environment;
}

std::string expanded(std::string_view word) {
  return expand(word, sample(), '\\').text;
}

std::string expansion_fault(std::string_view word) {
  try {
    expanded(word);
  } catch (const SyntaxError& error) {
    const std::string message = error.what();
    return message.substr(message.find("\": ") + 3);
  }
  return "";
}

struct Vector {
  const char* word;
  const char* result;
};
void PrintTo(const Vector& vector, std::ostream* out) {
  *out << vector.word;
}

class Expansion : public testing::TestWithParam<Vector> {};
TEST_P(Expansion, Gives) {
  EXPECT_EQ(expanded(GetParam().word), GetParam().result);
}

class ExpansionFault : public testing::TestWithParam<Vector> {};
TEST_P(ExpansionFault, IsNamed) {
  EXPECT_EQ(expansion_fault(GetParam().word), GetParam().result);
}

INSTANTIATE_TEST_SUITE_P(Variables, Expansion,
                         testing::Values(Vector{"$set", "value"}, Vector{"${set}", "value"},
                                         Vector{"x$set.y", "xvalue.y"}, Vector{"$setx", ""},
                                         Vector{"$nope", ""}, Vector{"${nope}", ""}, Vector{"$1$12x$0", "x"},
                                         Vector{"$@$*$#$?$-$$$!", ""}, Vector{"$", "$"}, Vector{"$.", "$."},
                                         Vector{"$名前，", "yes，"}, Vector{"$名前x", ""},
                                         Vector{"${名前}", "yes"}));

INSTANTIATE_TEST_SUITE_P(Quotes, Expansion,
                         testing::Values(Vector{"'$set\\'", "$set\\"}, Vector{"\"$set\"", "value"},
                                         Vector{"\"\\$set\\\"\\\\\\n'\"", "$set\"\\\\n'"},
                                         Vector{"a\\ b\\$c\\\\", "a b$c\\"}, Vector{"a\\", "a"},
                                         Vector{"a'b'\"c\"", "abc"}, Vector{"''\"\"", ""}));

INSTANTIATE_TEST_SUITE_P(Operators, Expansion,
                         testing::Values(Vector{"${set:-w}", "value"}, Vector{"${empty:-w}", "w"},
                                         Vector{"${nope:-w}", "w"}, Vector{"${set-w}", "value"},
                                         Vector{"${empty-w}", ""}, Vector{"${nope-w}", "w"},
                                         Vector{"${set:+w}", "w"}, Vector{"${empty:+w}", ""},
                                         Vector{"${nope:+w}", ""}, Vector{"${set+w}", "w"},
                                         Vector{"${empty+w}", "w"}, Vector{"${nope+w}", ""},
                                         Vector{"${set:?w}", "value"}, Vector{"${empty?w}", ""},
                                         Vector{"${nope:-${set}x${none:-\"y z\"}}", "valuexy z"},
                                         Vector{"${nope:-'$set'}", "$set"}, Vector{"${nope:-a\\}b}", "a}b"}));

INSTANTIATE_TEST_SUITE_P(
    Patterns, Expansion,
    testing::Values(Vector{"${path#*/}", "usr/lib/x.tar.gz"}, Vector{"${path##*/}", "x.tar.gz"},
                    Vector{"${path%.*}", "/usr/lib/x.tar"}, Vector{"${path%%.*}", "/usr/lib/x"},
                    Vector{"${path#/u?r}", "/lib/x.tar.gz"}, Vector{"${path#nope}", "/usr/lib/x.tar.gz"},
                    Vector{"${path%nope}", "/usr/lib/x.tar.gz"}, Vector{"${path#}", "/usr/lib/x.tar.gz"},
                    Vector{"${nope#x}", ""}, Vector{"${stars#a\\*b\\?}", "c\\d/e}f"},
                    Vector{"${stars%\\}f}", "a*b?c\\d/e"}, Vector{"${stars%\\/*}", "a*b?c\\d"},
                    Vector{"${path#[/]}", "/usr/lib/x.tar.gz"}));

INSTANTIATE_TEST_SUITE_P(Replacements, Expansion,
                         testing::Values(Vector{"${fruit/an/X}", "bXana"}, Vector{"${fruit//an/X}", "bXXa"},
                                         Vector{"${fruit//a/}", "bnn"}, Vector{"${fruit/n*/}", "ba"},
                                         Vector{"${fruit//?/-}", "------"}, Vector{"${fruit/z/y}", "banana"},
                                         Vector{"${stars/\\//_}", "a*b?c\\d_e}f"},
                                         Vector{"${stars//\\*/$set}", "avalueb?c\\d/e}f"},
                                         Vector{"${fruit///-}", "-b-a-n-a-n-a-"},
                                         Vector{"${fruit//*/x}", "x"}, Vector{"${fruit/a/\\$1}", "b\\$1nana"},
                                         Vector{"${fruit//b/\\$\\$}", "\\$\\$anana"}));

INSTANTIATE_TEST_SUITE_P(
    Malformed, ExpansionFault,
    testing::Values(
        Vector{"${}", "syntax error: bad substitution"}, Vector{"${:x}", "syntax error: bad substitution"},
        Vector{"${{x}}", "syntax error: bad substitution"}, Vector{"${", "syntax error: missing '}'"},
        Vector{"${set:x}", "unsupported modifier (:x) in substitution"},
        Vector{"${set:#x}", "unsupported modifier (:#) in substitution"},
        Vector{"${set:%x}", "unsupported modifier (:%) in substitution"},
        Vector{"${set!}", "unsupported modifier (!) in substitution"},
        Vector{"${set", "unsupported modifier (\uFFFD) in substitution"},
        Vector{"${set:-x", "syntax error: missing '}'"}, Vector{"${set:}", "syntax error: missing '}'"},
        Vector{"${set/x}", "syntax error: missing '/' in ${}"},
        Vector{"${set/x/y", "syntax error: missing '}'"},
        Vector{"'a", "unexpected end of statement while looking for matching single-quote"},
        Vector{"\"a", "unexpected end of statement while looking for matching double-quote"},
        Vector{"\"a\\", "unexpected end of statement while looking for matching double-quote"},
        Vector{"${nope:?}", "nope: is not allowed to be unset"},
        Vector{"${empty:?}", "empty: is not allowed to be empty"},
        Vector{"${nope?why $set}", "nope: why value"},
        Vector{"${set#\\x}", "invalid pattern (\\x) in substitution: invalid escape '\\x'"}));

TEST(Expand, NamesTheWholeWordInErrors) {
  try {
    expand("a\"${}", {}, '\\');
    FAIL();
  } catch (const SyntaxError& error) {
    EXPECT_STREQ(error.what(), "failed to process \"a\\\"${}\": syntax error: bad substitution");
    EXPECT_EQ(error.near(), "a\"${}");
  }
}

TEST(Expand, SaysWhichVariablesItMet) {
  const auto result = expand("$set${nope:-$empty}'$x'", sample(), '\\');
  EXPECT_EQ(result.found, (std::set<std::string>{"empty", "set"}));
  EXPECT_EQ(result.missing, (std::set<std::string>{"nope"}));
}

TEST(Expand, FollowsTheEscapeInForce) {
  EXPECT_EQ(expand("`$set\\$set", sample(), '`').text, "$set\\value");
}

TEST(Expand, TakesQuotesForTextInHeredocBodies) {
  ExpandOptions options;
  options.ignore_quotes = true;
  EXPECT_EQ(expand("\"$set\" '$set' \\$set \\n", sample(), options).text, "\"value\" 'value' $set n");
}

TEST(Expand, KeepsWhatIsNotSetIfAskedTo) {
  ExpandOptions options;
  options.keep_unset = true;
  EXPECT_EQ(expand("$a ${b} ${c:-d} ${e/f/g} $set", sample(), options).text,
            "$a ${b} ${c:-d} ${e/f/g} value");
}

TEST(Expand, KeepsQuotesAndEscapesIfAskedTo) {
  ExpandOptions options;
  options.keep_quotes = options.keep_escapes = true;
  EXPECT_EQ(expand(R"('a' "b" \c)", sample(), options).text, R"('a' "b" \c)");
}

TEST(Expand, RefusesNestingThatNoOneWrites) {
  std::string word;
  for (int i = 0; i < 20000; ++i)
    word += "${a:-";
  EXPECT_EQ(expansion_fault(word), "syntax error: substitutions are nested too deeply");
}

// Each of these would be more than the machine has.
TEST(Expand, RefusesValuesThatGrowBeyondAMebibyte) {
  Environment environment;
  environment.set("A", std::string(1 << 20, 'a'));
  std::string many, nested = "x";
  for (int i = 0; i < 20'000; ++i)
    many += "$A";
  for (int i = 0; i < 900; ++i)
    nested = "$A${none:+" + nested + "}";
  std::string whole_matches;
  for (int i = 0; i < 20'000; ++i)
    whole_matches += "\\$0";
  for (const auto& word : {std::string("$A$A"), many, '"' + many + '"', "${none:-" + many + "}", nested,
                           std::string("${A//a/bbbb}"), "${A//*/" + whole_matches + "}"}) {
    try {
      expand(word, environment, '\\');
      ADD_FAILURE() << word.substr(0, 100);
    } catch (const SyntaxError& error) {
      EXPECT_TRUE(std::string_view(error.what()).ends_with("the value becomes larger than 1 MiB"))
          << word.substr(0, 100);
    }
  }
  EXPECT_EQ(expand("x$A", environment, '\\').text.size(), (1u << 20) + 1);
  const std::string literal(3 << 20, 'x');
  EXPECT_EQ(expand(literal, environment, '\\').text, literal);
}

TEST(Expand, RefusesPatternsThatTakeTooLongToMatch) {
  Environment environment;
  environment.set("A", std::string(1 << 20, 'a'));
  std::string pattern;
  for (int i = 0; i < 20'000; ++i)
    pattern += "*a";
  for (const char* sign : {"#", "%", "/"}) {
    EXPECT_THROW(expand("${A" + (sign + pattern) + (*sign == '/' ? "/x}" : "}"), environment, '\\'),
                 SyntaxError)
        << sign;
  }
}

Words words(std::string_view text) {
  return dockerfile::expand_words(text, sample(), {});
}

TEST(ExpandWords, CutsAtWhiteSpaceThatIsNotProtected) {
  EXPECT_EQ(words("a  b\\ c \"d e\" 'f g'h"), (Words{"a", "b c", "d e", "f gh"}));
  EXPECT_EQ(words("x \"\" y"), (Words{"x", "y"}));
}

TEST(ExpandWords, CutsUnquotedValuesToo) {
  EXPECT_EQ(words("x${blanks}y"), (Words{"x", "a", "b", "y"}));
  EXPECT_EQ(words("x\"${blanks}\"y"), (Words{"x a  b y"}));
}

// Seen with the real one: EXPOSE 80${x:-81} is port 81.
TEST(ExpandWords, LosesWhatStandsBeforeAnOperatorAsBuildKitDoes) {
  EXPECT_EQ(words("80${nope:-81}"), (Words{"81"}));
}

TEST(ExpandWords, KeepsBlanksBehindTwoAnglesInTheWord) {
  EXPECT_EQ(words("a << EOF b"), (Words{"a", "<< EOF", "b"}));
}

TEST(Environments, KeepEachNameOnceAtTheEndOfItsLastSetting) {
  Environment environment;
  environment.set("a", "1");
  environment.set("b", "2");
  environment.set("a", "3");
  EXPECT_EQ(environment.names(), (Words{"b", "a"}));
  EXPECT_EQ(environment.get("a"), "3");
  EXPECT_FALSE(environment.get("A"));
}

}  // namespace
