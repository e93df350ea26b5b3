#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"
#include "tools/oci-params/key_value_file.hpp"
#include "tools/oci-params/yaml_map.hpp"

namespace {

std::vector<std::string> shown(const std::vector<params::NamedValue>& entries) {
  std::vector<std::string> lines;
  for (const auto& [name, value, line] : entries)
    lines.push_back(std::to_string(line) + " " + name + "=" + value);
  return lines;
}

std::string yaml_message(const std::string& text) {
  return test::error_of([&] { params::parse_yaml_map(text); });
}

using Strings = std::vector<std::string>;

TEST(KeyValueFile, SkipsBlankLinesAndCountsThem) {
  EXPECT_EQ(shown(params::parse_key_values("\n  \na=1\r\n\r\nb=2")), (Strings{"3 a=1", "5 b=2"}));
  EXPECT_EQ(shown(params::parse_key_values("")), Strings());
}

TEST(KeyValueFile, TakesTheValueAsItStands) {
  EXPECT_EQ(shown(params::parse_key_values("a= \"1\" # =\n b =\n")), (Strings{"1 a= \"1\" # =", "2 b="}));
}

TEST(KeyValueFile, SkipsAByteOrderMark) {
  EXPECT_EQ(shown(params::parse_key_values("\xEF\xBB\xBF"
                                           "a=1")),
            (Strings{"1 a=1"}));
}

TEST(KeyValueFile, NamesTheLineThatIsNoPair) {
  EXPECT_EQ(test::error_of([] { params::parse_key_values("a=1\nb\n"); }),
            "line 2: there is no '='; write name=value");
  EXPECT_EQ(test::error_of([] { params::parse_key_values(" =1"); }),
            "line 1: there is no name before '='; write name=value");
}

TEST(YamlMap, TakesScalarsAsTheyAreWritten) {
  EXPECT_EQ(shown(params::parse_yaml_map(
                "a: 007\nb: 1.50\nc: yes\nd: ~\ne: \"x\\ty\"\n'f g': h\n\"\\u00e9\": i\n")),
            (Strings{"1 a=007", "2 b=1.50", "3 c=yes", "4 d=", "5 e=x\ty", "6 f g=h", "7 \u00e9=i"}));
}

TEST(YamlMap, DropsOneTrailingNewlineOfABlock) {
  EXPECT_EQ(shown(params::parse_yaml_map("a: |\n  1\n  2\nb: |+\n  3\n\nc: >\n  4\n  5\n")),
            (Strings{"1 a=1\n2", "4 b=3\n", "7 c=4 5"}));
  EXPECT_EQ(shown(params::parse_yaml_map("a: |+\n  1\n\n")), (Strings{"1 a=1\n"}));
  EXPECT_EQ(shown(params::parse_yaml_map("a: |\n  1")), (Strings{"1 a=1"}));
}

TEST(YamlMap, TakesJsonToo) {
  EXPECT_EQ(shown(params::parse_yaml_map(R"({"a": "1", "b": 2})")), (Strings{"1 a=1", "1 b=2"}));
}

TEST(YamlMap, AnEmptyFileHoldsNothing) {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n", "{}", "---\n...\n"}) {
    EXPECT_EQ(shown(params::parse_yaml_map(text)), Strings()) << text;
  }
}

TEST(YamlMap, RefusesWhatIsNoFlatMap) {
  EXPECT_EQ(yaml_message("- a\n"), "line 1: there is a list where a map is expected; write name: value");
  EXPECT_EQ(yaml_message("text\n"), "line 1: there is a text where a map is expected; write name: value");
  EXPECT_EQ(yaml_message("a: 1\nb:\n  - 2\n"), "line 3: the value of 'b' is a list; it must be a text");
  EXPECT_EQ(yaml_message("a: 1\nb:\n  c: 2\n"), "line 3: the value of 'b' is a map; it must be a text");
  EXPECT_EQ(yaml_message("a: &x 1\nb: *x\n"), "line 2: the value of 'b' is an alias; write the text itself");
  EXPECT_EQ(yaml_message("? [a]\n: 1\n"), "line 1: a name is a list; it must be a text");
}

TEST(YamlMap, RefusesAKeyThatStandsTwice) {
  EXPECT_EQ(yaml_message("a: 1\nb: 2\na: 3\n"), "line 3: 'a' stands twice, first in line 1");
}

TEST(YamlMap, RefusesANameThatWouldBeCutShort) {
  EXPECT_EQ(yaml_message("a=b: 1\n"), "line 1: the name 'a=b' holds a '='");
}

TEST(YamlMap, RefusesASecondDocument) {
  EXPECT_EQ(yaml_message("a: 1\n---\nb: 2\n"), "there is a second document; keep one");
}

TEST(YamlMap, NamesTheLineOfASyntaxError) {
  EXPECT_EQ(yaml_message("a: 1\n b: 2\n"), "line 2: not YAML: illegal map value");
}

TEST(YamlMap, RefusesAQuoteThatIsNotClosed) {
  EXPECT_EQ(yaml_message("a: 1\nb: \"2\nc: 3\n"), "line 4: not YAML: illegal EOF in scalar");
  EXPECT_EQ(yaml_message("a: '2\n"), "line 2: not YAML: illegal EOF in scalar");
  EXPECT_EQ(yaml_message("a: \"2"), "line 2: not YAML: illegal EOF in scalar");
}

TEST(YamlMap, SurvivesNestingWithoutEnd) {
  EXPECT_NE(yaml_message("a: " + std::string(100000, '[')), "accepted");
}

}  // namespace
