// Platforms as containerd normalises and orders them.
#include "common/image/descriptor.hpp"

#include <gtest/gtest.h>

#include "tests/support/error_of.hpp"

namespace {

using image::Descriptor;
using image::Platform;
using test::error_of;

TEST(Platform, IsNormalisedWhenParsed) {
  const std::pair<const char*, const char*> vectors[] = {
      {"linux/amd64", "linux/amd64"},       {"linux/x86_64", "linux/amd64"},
      {"Linux/x86-64", "linux/amd64"},      {"linux/amd64/v1", "linux/amd64"},
      {"linux/amd64/v3", "linux/amd64/v3"}, {"linux/i386", "linux/386"},
      {"linux/aarch64", "linux/arm64"},     {"linux/arm64/v8", "linux/arm64"},
      {"linux/arm64/8", "linux/arm64"},     {"linux/arm64/v9", "linux/arm64/v9"},
      {"linux/arm", "linux/arm/v7"},        {"linux/arm/7", "linux/arm/v7"},
      {"linux/arm/6", "linux/arm/v6"},      {"linux/armhf", "linux/arm/v7"},
      {"linux/armel", "linux/arm/v6"},      {"linux/riscv64", "linux/riscv64"},
      {"macos/arm64", "darwin/arm64"},      {"windows/amd64", "windows/amd64"},
      {"linux/ppc64le", "linux/ppc64le"},   {"linux/s390x", "linux/s390x"},
  };
  for (const auto& [text, normal] : vectors)
    EXPECT_EQ(Platform::parse(text).str(), normal) << text;
}

TEST(Platform, TakesAnArchitectureOrAnOsAlone) {
  EXPECT_EQ(Platform::parse("arm64").str(), "linux/arm64");
  EXPECT_EQ(Platform::parse("x86_64").str(), "linux/amd64");
  EXPECT_EQ(Platform::parse("linux"), Platform::host());
}

TEST(Platform, RefusesWhatCannotBeOne) {
  for (const auto* text :
       {"", "/", "linux/", "/amd64", "linux/amd64/v1/x", "linux/am d64", "linux/amd64\n", "pdp11"}) {
    EXPECT_TRUE(error_of([&] { Platform::parse(text); }).ends_with("expected something like 'linux/arm64'"))
        << text;
  }
}

TEST(Platform, RunsLowerVariantsAndThe32BitArchitecture) {
  const auto names = [](const char* text) {
    std::string joined;
    for (const auto& platform : Platform::parse(text).runnable())
      joined += platform.str() + " ";
    return joined;
  };
  EXPECT_EQ(names("linux/amd64"), "linux/amd64 linux/386 ");
  EXPECT_EQ(names("linux/amd64/v3"), "linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386 ");
  EXPECT_EQ(names("linux/arm/v7"), "linux/arm/v7 linux/arm/v6 linux/arm/v5 ");
  EXPECT_EQ(names("linux/arm64"), "linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5 ");
  EXPECT_EQ(names("linux/arm64/v9").substr(0, 27), "linux/arm64/v9 linux/arm64 ");
  EXPECT_EQ(names("linux/riscv64"), "linux/riscv64 ");
}

TEST(Platform, WithoutFieldsIsUnknown) {
  EXPECT_EQ(Platform().str(), "unknown");
}

TEST(Descriptor, IsAnAttestationByPlatformOrByAnnotation) {
  Descriptor descriptor{"", hash::Digest::from_hex(std::string(64, 'a'))};
  EXPECT_FALSE(descriptor.is_attestation());
  descriptor.platform = Platform{"unknown", "unknown", ""};
  EXPECT_TRUE(descriptor.is_attestation());
  descriptor.platform = Platform{"linux", "amd64", ""};
  EXPECT_FALSE(descriptor.is_attestation());
  descriptor.annotations["vnd.docker.reference.type"] = "attestation-manifest";
  EXPECT_TRUE(descriptor.is_attestation());
}

}  // namespace
