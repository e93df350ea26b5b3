// CSV records of BuildKit's options.
#include "common/util/csv.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"

namespace {

using util::csv_record;
using util::parse_csv_record;

TEST(CsvRecord, LeavesPlainFieldsAsTheyAre) {
  EXPECT_EQ(csv_record({"type=docker", "dest=out/image.tar"}), "type=docker,dest=out/image.tar");
}

TEST(CsvRecord, KeepsBlanksAndEqualSignsUnquoted) {
  EXPECT_EQ(csv_record({"src=/a b", "annotation.x=1=2"}), "src=/a b,annotation.x=1=2");
}

TEST(CsvRecord, QuotesAFieldWithAComma) {
  EXPECT_EQ(csv_record({"id=a", "src=/x,y"}), "id=a,\"src=/x,y\"");
}

TEST(CsvRecord, DoublesQuotesInside) {
  EXPECT_EQ(csv_record({"src=/say \"hi\""}), "\"src=/say \"\"hi\"\"\"");
}

TEST(CsvRecord, QuotesAFieldWithALineBreak) {
  EXPECT_EQ(csv_record({"annotation.x=a\nb"}), "\"annotation.x=a\nb\"");
}

TEST(CsvRecord, IsReadAsBuildKitReadsIt) {
  const std::vector<std::string> fields = {"type=local", "src=a,\"b\"", "flag", ""};
  EXPECT_EQ(parse_csv_record(R"(type=local,"src=a,""b""",flag,)"), fields);
  EXPECT_EQ(parse_csv_record(csv_record(fields)), fields);
}

TEST(CsvRecord, HasQuotesAroundWholeFieldsOnly) {
  EXPECT_EQ(test::error_of([] { parse_csv_record(R"("a=1)"); }), "a quote is not closed");
  EXPECT_EQ(test::error_of([] { parse_csv_record(R"("a"b)"); }), "a comma must follow a quoted field");
  EXPECT_EQ(test::error_of([] { parse_csv_record(R"(a="1")"); }),
            "a quote stands inside a field; quote the whole field, as in \"src=a,b\"");
}

}  // namespace
