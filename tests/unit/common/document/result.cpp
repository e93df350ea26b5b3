#include "common/document/result.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"
#include "tests/unit/common/document/golden.hpp"

namespace {

document::Result two_targets() {
  return {
      .engine = "buildkit",
      .format = document::OutputFormat::oci,
      .targets = {{.name = "tests", .image = std::nullopt}, {.name = std::nullopt, .image = "image/image"}}};
}

std::string result_fault(const std::string& json) {
  return test::error_of([&] { document::parse_result(json); });
}

TEST(Result, IsWrittenAsTheGoldenDocumentShows) {
  golden::expect_shown(to_json(two_targets()), "result.json");
}

TEST(Result, ComesBackFromJsonAsItWas) {
  EXPECT_EQ(to_json(document::parse_result(to_json(two_targets()))), to_json(two_targets()));
}

TEST(Result, RefusesWhatIsNoResult) {
  EXPECT_EQ(result_fault(R"({"schema":"oci-build/request/1"})"),
            "result: field 'schema': expected 'oci-build/result/1', got 'oci-build/request/1'");
  EXPECT_EQ(result_fault(R"({"schema":"oci-build/result/1","engine":"e","format":"oci"})"),
            "result: field 'targets': missing");
  EXPECT_EQ(result_fault(R"({"schema":"oci-build/result/1","engine":"e","format":"tar","targets":[]})"),
            "result: field 'format': 'tar' is none of 'docker', 'oci'");
  EXPECT_EQ(result_fault(R"({"schema":"oci-build/result/1","engine":"e","format":"oci","targets":[]})"),
            "result: field 'targets': expected at least one");
}

}  // namespace
