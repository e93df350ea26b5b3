// CSV records for buildctl's options.
#include "common/buildkit/csv.hpp"

#include <gtest/gtest.h>

namespace {

using buildkit::csv_record;

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

}  // namespace
