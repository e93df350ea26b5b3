// Strict JSON: what is refused, and how errors name the place.
#include "common/util/json.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "tests/support/error_of.hpp"
#include "tests/support/in_child.hpp"

namespace {

using test::error_of;
using util::JsonFields;

std::string parse_error(const std::string& text) {
  return error_of([&] { util::parse_json(text, "it"); });
}

TEST(ParseJson, GivesTheValue) {
  EXPECT_EQ(util::parse_json(R"({"a":[1,true,null,"x"]})", "it")["a"][3], "x");
  EXPECT_EQ(util::parse_json(" 1\n", "it"), 1);
}

TEST(ParseJson, NamesThePlaceOfASyntaxError) {
  EXPECT_EQ(parse_error("{\n \"a\": x}"), "it is not JSON: error at line 2, column 7");
  EXPECT_EQ(parse_error(""), "it is not JSON: error at line 1, column 1");
  EXPECT_NE(parse_error("{} {}"), "no error");
  EXPECT_NE(parse_error("[1,]"), "no error");
  EXPECT_NE(parse_error("// comment\n1"), "no error");
}

TEST(ParseJson, RefusesADuplicateKey) {
  EXPECT_EQ(parse_error(R"({"a":{"b":1,"c":{"b":1},"b":2}})"), "it has the key 'b' twice");
  EXPECT_EQ(parse_error(R"([{"a":1},{"a":2}])"), "no error");
}

TEST(ParseJson, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(parse_error("\"\xff\""), "it is not UTF-8");
}

TEST(ParseJson, RefusesNestingThatIsTooDeep) {
  EXPECT_EQ(parse_error(std::string(64, '[') + "1" + std::string(64, ']')), "no error");
  EXPECT_EQ(parse_error(std::string(65, '[') + std::string(65, ']')), "it is nested deeper than 64 levels");
  EXPECT_EQ(parse_error(std::string(100'000, '[')), "it is nested deeper than 64 levels");
}

TEST(ParseJson, TakesTimeInProportionToItsSize) {
  std::string text = "[";
  for (int i = 0; i < 400'000; ++i)
    text += R"({"":{}},)";
  text += "0]";
  // Some tenths of a second; it was minutes when it went through the array for each of its elements.
  EXPECT_EQ(test::in_child([&] {
              const rlimit seconds = {.rlim_cur = 30, .rlim_max = 30};
              ::setrlimit(RLIMIT_CPU, &seconds);
              return util::parse_json(text, "it").size() == 400'001 ? 0 : 1;
            }),
            0);
}

TEST(ParseJson, KeepsWhatStandsInEachLevel) {
  const std::string text =
      R"({"a":[1,-2,2.5,null,true,"x",[],{}],"b":{"c":{"d":[[{"e":false}]]},"f":18446744073709551615}})";
  EXPECT_EQ(util::dump_json(util::parse_json(text, "it")), text);
  EXPECT_EQ(util::dump_json(util::parse_json("7", "it")), "7");
}

TEST(ParseJson, RefusesNumbersOutOfRange) {
  EXPECT_EQ(parse_error("1e999"), "it is not JSON: a number is out of range");
}

TEST(DumpJson, IsCompactAndKeepsTheOrder) {
  EXPECT_EQ(util::dump_json(nlohmann::ordered_json{{"z", 1}, {"a", "h\xc3\xa9"}}),
            "{\"z\":1,\"a\":\"h\xc3\xa9\"}");
}

TEST(DumpJson, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(error_of([] { util::dump_json(nlohmann::json("\xff")); }),
            "cannot write JSON: a string is not UTF-8");
}

class Fields : public testing::Test {
protected:
  const nlohmann::json document_ = util::parse_json(
      R"({"s":"x","n":7,"m":-7,"b":true,"l":["a","b"],"o":{"s":1},"os":[{"s":"y"},{"s":2}],"z":null})", "it");
  const JsonFields fields_{document_, "it"};
};

TEST_F(Fields, GiveValuesByType) {
  EXPECT_EQ(fields_.string("s"), "x");
  EXPECT_EQ(fields_.unsigned_integer("n"), 7U);
  EXPECT_TRUE(fields_.boolean("b"));
  EXPECT_EQ(fields_.strings("l"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(fields_.object("o").unsigned_integer("s"), 1U);
  EXPECT_EQ(fields_.objects("os")[0].string("s"), "y");
}

TEST_F(Fields, NameTheFieldThatIsWrong) {
  EXPECT_EQ(error_of([&] { fields_.string("n"); }), "it: field 'n': expected a string");
  EXPECT_EQ(error_of([&] { fields_.string("absent"); }), "it: field 'absent': missing");
  EXPECT_EQ(error_of([&] { fields_.string("z"); }), "it: field 'z': expected a string");
  EXPECT_EQ(error_of([&] { fields_.unsigned_integer("m"); }),
            "it: field 'm': expected a whole number, 0 or more");
  EXPECT_EQ(error_of([&] { fields_.boolean("s"); }), "it: field 's': expected true or false");
  EXPECT_EQ(error_of([&] { fields_.strings("os"); }), "it: field 'os': expected a list of strings");
  EXPECT_EQ(error_of([&] { fields_.objects("o"); }), "it: field 'o': expected a list of objects");
  EXPECT_EQ(error_of([&] { fields_.object("s"); }), "it: field 's': expected an object");
  EXPECT_EQ(error_of([&] { fields_.object("o").string("s"); }), "it: field 'o.s': expected a string");
  EXPECT_EQ(error_of([&] { fields_.objects("os")[1].string("s"); }),
            "it: field 'os[1].s': expected a string");
  EXPECT_EQ(error_of([&] { JsonFields(document_["l"], "it"); }), "it: expected an object");
}

TEST_F(Fields, TakeNullAndMissingForNothingWhereThatIsAllowed) {
  EXPECT_TRUE(fields_.has("s"));
  for (const auto* name : {"z", "absent"}) {
    EXPECT_FALSE(fields_.has(name));
    EXPECT_EQ(fields_.optional_string(name), std::nullopt);
    EXPECT_EQ(fields_.optional_unsigned_integer(name), std::nullopt);
    EXPECT_FALSE(fields_.optional_object(name));
  }
  EXPECT_EQ(fields_.optional_string("s"), "x");
  EXPECT_EQ(error_of([&] { fields_.optional_string("n"); }), "it: field 'n': expected a string");
}

TEST(JsonLists, OfTheOutermostObjectAreTakenElementByElement) {
  std::vector<std::string> taken;
  const auto parse = [&](std::string_view text) {
    taken.clear();
    return util::dump_json(
        util::parse_json_lists(text, "it", 8, [&](const auto& list, auto index, const auto& element) {
          taken.push_back(list + std::to_string(index) + " " + util::dump_json(element));
        }));
  };
  EXPECT_EQ(parse(R"({"a":[{"x":1},[2]],"b":[{"y":{"z":[3]}}],"c":{"d":[{}]}})"),
            R"({"a":[],"b":[],"c":{"d":[{}]}})");
  EXPECT_EQ(taken, (std::vector<std::string>{R"(a0 {"x":1})", "a1 [2]", R"(b0 {"y":{"z":[3]}})"}));
  EXPECT_EQ(parse(R"([[1]])"), "[[1]]");
  EXPECT_TRUE(taken.empty());
  for (const auto* large :
       {"[1,2,3,4,5,6,7,8]", R"({"a":[1,2,3,4,5,6,7]})", R"({"a":[{"x":[1,2,3,4,5]},[2,3]]})"})
    EXPECT_EQ(test::error_of([&] { parse(large); }), "it has more than 8 values in one place") << large;
}

TEST(JsonIntegers, AreWholeAndFitSixtyFourBits) {
  const auto document = util::parse_json(
      R"({"least":-9223372036854775808,"most":9223372036854775807,"more":9223372036854775808,"half":0.5,"huge":1e300,"text":"1"})",
      "it");
  const util::JsonFields fields(document, "it");
  EXPECT_EQ(fields.integer("least"), INT64_MIN);
  EXPECT_EQ(fields.integer("most"), INT64_MAX);
  for (const auto* name : {"more", "half", "huge", "text"})
    EXPECT_EQ(error_of([&] { fields.integer(name); }),
              "it: field '" + std::string(name) + "': expected a whole number");
}

TEST_F(Fields, AreHeldToAListOfNames) {
  const auto object = fields_.object("o");
  EXPECT_EQ(error_of([&] { object.require_exactly({"s"}); }), "no error");
  EXPECT_EQ(error_of([&] { object.require_exactly({}); }), "it: field 'o.s': unknown");
  EXPECT_EQ(error_of([&] { object.require_exactly({"s", "t"}); }), "it: field 'o.t': missing");
}

}  // namespace
