#include "common/attest/sbom.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/hash/sha256.hpp"
#include "common/sys/file.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/tar_archive.hpp"
#include "tests/unit/common/plan/planning.hpp"

namespace attest {
namespace {

using nlohmann::json;

Scanner scanner(const std::string& words) {
  return Scanner::parse(document::Attributes::parse(words));
}

using Files = std::vector<std::pair<std::string, std::string>>;

ScannedLayer layer_of(const Files& files) {
  std::vector<test::Member> members;
  for (const auto& [path, content] : files)
    members.push_back({.path = path, .content = content});
  const auto bytes = test::archive(members);
  const auto digest = hash::sha256(bytes);
  return {.descriptor = {std::string(image::media_type::oci_layer), digest, bytes.size()},
          .diff_id = digest,
          .open = [bytes] { return sys::make_memory_file(bytes, "layer"); }};
}

std::vector<Statement> scan_of(const Files& files, const std::vector<ScannedLayer>& layers = {}) {
  const auto written = layer_of(files);
  return read_scan({.packed = {.diff_id = written.diff_id, .blob = written.descriptor}, .open = written.open},
                   layers, "tool-1");
}

std::string statement(const std::string& predicate) {
  return R"({"_type":"x","predicateType":"https://spdx.dev/Document","predicate":)" + predicate + "}";
}

TEST(Scanner, IsBuildkitsUnlessAnotherIsNamed) {
  EXPECT_EQ(scanner("").image.full(), "docker.io/docker/buildkit-syft-scanner:stable-1");
  const auto other = scanner("generator=example.com/scan,FORMAT=x");
  EXPECT_EQ(other.image.full(), "example.com/scan:latest");
  EXPECT_EQ(other.parameters, (std::map<std::string, std::string>{{"FORMAT", "x"}}));
  EXPECT_EQ(test::error_of([] { scanner("generator="); }), "sbom generator cannot be empty; name an image");
}

TEST(Scans, RunTheScannerOverTheUppermostOpOfEachImage) {
  auto graph = test::plan_of("FROM debian:12 AS a\nCOPY x /\nFROM scratch\n", test::inputs_for({"a", ""}));
  const auto scans = add_scans(graph, {true, false}, scanner("generator=scan,A=b"),
                               R"({"config":{"Entrypoint":["/scan"]}})", true);
  ASSERT_EQ(scans.size(), 2U);
  ASSERT_EQ(scans[0].size(), 1U);
  EXPECT_TRUE(scans[1].empty());
  const auto run = test::only<plan::Run>(graph);
  EXPECT_EQ(run.arguments, std::vector<std::string>{"/scan"});
  EXPECT_EQ(run.environment.back(), "BUILDKIT_SCAN_A=b");
  EXPECT_EQ(run.mounts.back().from, test::image_of(graph).history.back().layer);
  EXPECT_TRUE(run.mounts.back().options.read_only);
}

TEST(Scans, NeedAScannerWithACommand) {
  auto graph = test::plan_of("FROM scratch\n");
  EXPECT_EQ(test::error_of([&] { add_scans(graph, {true}, scanner("generator=scan"), "{}", false); }),
            "scanner docker.io/library/scan:latest does not have cmd; SBOM needs one that has");
}

TEST(Scans, GiveTheImagesOwnStatementFirst) {
  const auto statements = scan_of({{"a.spdx.json", statement(R"({"name":"other"})")},
                                   {"sbom.spdx.json", statement(R"({"name":"core"})")}});
  ASSERT_EQ(statements.size(), 2U);
  EXPECT_EQ(json::parse(statements[0].json).at("/predicate/name"_json_pointer), "core");
  EXPECT_EQ(statements[1].predicate_type, "https://spdx.dev/Document");
}

TEST(Scans, SayInWhichLayerAFileLies) {
  const auto low = layer_of({{"a", "1"}, {"b", "1"}});
  const auto high = layer_of({{"a", "2"}, {".wh.b", ""}});
  const auto statements = scan_of({{"sbom.spdx.json", statement(R"({"spdxVersion":"SPDX-2.3","files":[
        {"fileName":"/a"},{"fileName":"b"},{"fileName":"none"},{"fileName":"a","comment":"own"}]})")}},
                                  {low, high});
  ASSERT_EQ(statements.size(), 1U);
  const auto predicate = json::parse(statements[0].json).at("predicate");
  const auto& files = predicate.at("files");
  EXPECT_EQ(files[0].at("comment"), "layerID: " + high.descriptor.digest.str());
  EXPECT_EQ(files[1].at("comment"), "layerID: " + low.descriptor.digest.str());
  EXPECT_FALSE(files[2].contains("comment"));
  EXPECT_EQ(files[3].at("comment"), "own");
  EXPECT_EQ(predicate.at("/creationInfo/creators"_json_pointer), json::array({"Tool: tool-1"}));
}

TEST(Scans, RefuseWhatIsNoStatementOfAnSpdxDocument) {
  EXPECT_EQ(test::error_of([] {
              scan_of({{"x.json", R"({"predicateType":"other"})"}});
            }),
            "bundle entry other does not match required predicate type https://spdx.dev/Document: the "
            "scanner's file "
            "'x.json'");
}

}  // namespace
}  // namespace attest
