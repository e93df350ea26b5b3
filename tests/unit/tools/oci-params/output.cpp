#include "tests/unit/tools/oci-params/request_fixture.hpp"

namespace {

using document::Compression;
using document::OutputFormat;

class Output : public RequestTest {};

TEST_F(Output, IsADockerArchiveByDefault) {
  const auto output = read({}).output;
  EXPECT_EQ(output.format, OutputFormat::docker);
  EXPECT_FALSE(output.unpack_rootfs);
  EXPECT_FALSE(output.rewrite_timestamp);
  EXPECT_FALSE(output.compression);
  EXPECT_FALSE(output.compression_level);
}

TEST_F(Output, TakesEverySpellingOfABoolean) {
  for (const char* yes : {"true", "True", "TRUE", "t", "T", "1", " true\n"}) {
    EXPECT_TRUE(read({{"UNPACK_ROOTFS", yes}}).output.unpack_rootfs) << yes;
  }
  for (const char* no : {"false", "False", "FALSE", "f", "F", "0", ""}) {
    EXPECT_FALSE(read({{"UNPACK_ROOTFS", no}}).output.unpack_rootfs) << no;
  }
}

TEST_F(Output, RefusesWhatIsNoBoolean) {
  for (const std::string name : {"UNPACK_ROOTFS", "OUTPUT_OCI", "REWRITE_TIMESTAMP", "DEBUG"}) {
    EXPECT_EQ(error_of({{name, "yse"}}), name + ": 'yse' is neither true nor false; use 'true' or 'false'");
  }
}

TEST_F(Output, FlagsReachTheRequest) {
  EXPECT_EQ(read({{"OUTPUT_OCI", "true"}}).output.format, OutputFormat::oci);
  EXPECT_TRUE(read({{"NO_CACHE", "true"}}).no_cache);
  EXPECT_EQ(read({{"NO_CACHE", "one, two"}}).no_cache_stages, (std::vector<std::string>{"one", "two"}));
  EXPECT_FALSE(read({{"NO_CACHE", "one"}}).no_cache);
  EXPECT_TRUE(read({{"DEBUG", "true"}}).debug);
}

TEST_F(Output, SeveralPlatformsImplyAnOciLayout) {
  EXPECT_EQ(read({{"IMAGE_PLATFORM", "linux/amd64,linux/arm64"}}).output.format, OutputFormat::oci);
  EXPECT_EQ(read({{"IMAGE_PLATFORM", "linux/arm64"}}).output.format, OutputFormat::docker);
  EXPECT_EQ(error_of({{"IMAGE_PLATFORM", "linux/amd64,linux/arm64"}, {"OUTPUT_OCI", "false"}}),
            "OUTPUT_OCI is false but IMAGE_PLATFORM names 2 platforms, which only an OCI layout can hold; "
            "drop OUTPUT_OCI or name one platform");
}

TEST_F(Output, TakesACompressionAndItsLevel) {
  EXPECT_EQ(read({{"COMPRESSION", "gzip"}}).output.compression, Compression::gzip);
  EXPECT_EQ(read({{"COMPRESSION", "none"}}).output.compression, Compression::none);
  EXPECT_EQ(read({{"COMPRESSION", "uncompressed"}}).output.compression, Compression::none);
  const auto output = read({{"COMPRESSION", "zstd"}, {"COMPRESSION_LEVEL", "22"}}).output;
  EXPECT_EQ(output.compression, Compression::zstd);
  EXPECT_EQ(output.compression_level, 22U);
}

TEST_F(Output, RefusesACompressionOrLevelThatIsNone) {
  EXPECT_EQ(error_of({{"COMPRESSION", "xz"}}), "COMPRESSION: 'xz' is none of 'gzip', 'zstd', 'none'");
  EXPECT_EQ(error_of({{"COMPRESSION", "gzip"}, {"COMPRESSION_LEVEL", "10"}}),
            "COMPRESSION_LEVEL: '10' is no level of gzip; use a whole number from 0 to 9");
  EXPECT_EQ(error_of({{"COMPRESSION", "zstd"}, {"COMPRESSION_LEVEL", "-1"}}),
            "COMPRESSION_LEVEL: '-1' is no level of zstd; use a whole number from 1 to 22");
  EXPECT_EQ(error_of({{"COMPRESSION_LEVEL", "3"}}),
            "COMPRESSION_LEVEL needs COMPRESSION; set it to 'gzip' or 'zstd'");
  EXPECT_EQ(error_of({{"COMPRESSION", "none"}, {"COMPRESSION_LEVEL", "3"}}),
            "COMPRESSION_LEVEL has no meaning with COMPRESSION 'none'; drop one of the two");
}

TEST_F(Output, TakesTheNamesOfTheImage) {
  const auto tags = read({{"REPO_TAGS", "hello:1.0, registry.example.com/hello\n"}}).output.repo_tags;
  ASSERT_EQ(tags.size(), 2U);
  EXPECT_EQ(tags[0].familiar(), "hello:1.0");
  EXPECT_EQ(tags[1].full(), "registry.example.com/hello:latest");
  EXPECT_TRUE(read({}).output.repo_tags.empty());
}

TEST_F(Output, RefusesNamesThatAreNoneOrStandTwice) {
  EXPECT_EQ(
      error_of({{"REPO_TAGS", "hello,docker.io/library/hello:latest,Hello"}}),
      "REPO_TAGS: 'docker.io/library/hello:latest' stands twice; keep one\n"
      "REPO_TAGS: 'Hello' cannot be the name of an image; write it as 'registry.example.com/name:tag', in "
      "lower case but for the tag");
}

TEST_F(Output, TakesATimeInSecondsOrAWordOfBuildKits) {
  for (const char* value : {"0", "1700000000", "context", "sources", "stage-1.x"}) {
    EXPECT_EQ(read({{"SOURCE_DATE_EPOCH", value}}).source_date_epoch, value);
  }
  EXPECT_FALSE(read({{"SOURCE_DATE_EPOCH", ""}}).source_date_epoch);
}

TEST_F(Output, RefusesATimeThatIsNone) {
  for (const std::string value :
       {"2024-01-01", "1.5", "-1", "now!", "99999999999999999999", "9223372036854775808"}) {
    EXPECT_EQ(error_of({{"SOURCE_DATE_EPOCH", value}}),
              "SOURCE_DATE_EPOCH: '" + value +
                  "' is not a time; use whole seconds since 1970, as 'date +%s' prints them");
  }
}

TEST_F(Output, RewritingTimestampsNeedsATime) {
  EXPECT_TRUE(read({{"REWRITE_TIMESTAMP", "true"}, {"SOURCE_DATE_EPOCH", "0"}}).output.rewrite_timestamp);
  EXPECT_TRUE(
      read({{"REWRITE_TIMESTAMP", "true"}, {"BUILD_ARG_SOURCE_DATE_EPOCH", "0"}}).output.rewrite_timestamp);
  EXPECT_EQ(error_of({{"REWRITE_TIMESTAMP", "true"}}),
            "REWRITE_TIMESTAMP needs SOURCE_DATE_EPOCH, the time to write; set it too");
}

class Attestations : public RequestTest {
protected:
  static std::optional<std::string> written(const std::optional<document::Attributes>& attributes) {
    return attributes ? std::optional(attributes->str()) : std::nullopt;
  }

  static std::optional<std::string> provenance(const std::string& value) {
    return written(read({{"OUTPUT_OCI", "true"}, {"PROVENANCE", value}}).provenance);
  }
  static std::optional<std::string> sbom(const std::string& value) {
    return written(read({{"OUTPUT_OCI", "true"}, {"SBOM", value}}).sbom);
  }
};

TEST_F(Attestations, AreOffByDefault) {
  const auto request = read({{"OUTPUT_OCI", "true"}});
  EXPECT_FALSE(request.provenance);
  EXPECT_FALSE(request.sbom);
  for (const char* off : {"", "false", "0", "off", "none", "disabled=true"}) {
    EXPECT_FALSE(provenance(off)) << off;
    EXPECT_FALSE(sbom(off)) << off;
  }
}

TEST_F(Attestations, ComeInBuildKitsWords) {
  EXPECT_EQ(provenance("true"), "");
  EXPECT_EQ(provenance("min"), "mode=min");
  EXPECT_EQ(provenance("max"), "mode=max");
  EXPECT_EQ(provenance("mode=max,version=v1"), "mode=max,version=v1");
  EXPECT_EQ(sbom("1"), "");
  EXPECT_EQ(sbom("generator=registry.example.com/scanner"), "generator=registry.example.com/scanner");
}

TEST_F(Attestations, RefuseOtherWords) {
  const Variables oci = {{"OUTPUT_OCI", "true"}};
  const auto with = [&](const std::string& name, const std::string& value) {
    auto variables = oci;
    variables[name] = value;
    return error_of(variables);
  };
  EXPECT_EQ(with("PROVENANCE", "full"),
            "PROVENANCE: 'full' is no way to attest; use 'true', 'min', 'max', 'false' or attributes such as "
            "'mode=max'");
  EXPECT_EQ(with("PROVENANCE", "mode=mix"),
            "PROVENANCE: the mode 'mix' is neither 'min' nor 'max'; did you mean 'min'?");
  EXPECT_EQ(with("SBOM", "max"),
            "SBOM: 'max' is no way to attest; use 'true', 'false' or attributes such as 'generator=IMAGE'");
  EXPECT_EQ(with("SBOM", "\"generator=x"), "SBOM: a quote is not closed");
}

TEST_F(Attestations, NeedAnOciLayout) {
  EXPECT_EQ(
      error_of({{"PROVENANCE", "true"}, {"SBOM", "true"}}),
      "PROVENANCE is stored beside the image, which only an OCI layout can hold; set OUTPUT_OCI to 'true'\n"
      "SBOM is stored beside the image, which only an OCI layout can hold; set OUTPUT_OCI to 'true'");
  EXPECT_EQ(read({{"PROVENANCE", "true"}, {"IMAGE_PLATFORM", "linux/amd64,linux/arm64"}}).provenance,
            document::Attributes());
}

}  // namespace
