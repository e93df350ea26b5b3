// Errors of BuildKit, each with the parameter that helps.
#include "common/engine/advice.hpp"

#include <gtest/gtest.h>

namespace engine {
namespace {

std::string advice(std::string_view error, const document::Request& request = {}) {
  return advice_on(error, request).value_or("");
}

TEST(Advice, NamesTheEntitlementBesideThoseThatAreGiven) {
  const std::string error = "failed to load LLB: network.host is not allowed";
  EXPECT_EQ(advice(error), "set ENTITLEMENTS=network.host");
  document::Request request;
  request.entitlements = {document::Entitlement::security_insecure};
  EXPECT_EQ(advice(error, request), "set ENTITLEMENTS=security.insecure,network.host");
  EXPECT_EQ(advice("failed to load LLB: security.insecure is not allowed"),
            "set ENTITLEMENTS=security.insecure");
}

TEST(Advice, NamesTheParameterOfASecret) {
  EXPECT_EQ(advice("secret tok: not found"), "set BUILDKIT_SECRETTEXT_tok or BUILDKIT_SECRET_tok");
  EXPECT_EQ(advice("secret a\x1b: not found"), "set BUILDKIT_SECRETTEXT_a\\x1b or BUILDKIT_SECRET_a\\x1b");
}

TEST(Advice, NamesTheParameterOfAnSshKey) {
  EXPECT_EQ(advice("no SSH key \"\" forwarded from the client"),
            "set BUILDKIT_SSHTEXT_default or BUILDKIT_SSH");
  EXPECT_EQ(advice("failed to load cache key: no SSH key \"x\" forwarded from the client"),
            "set BUILDKIT_SSHTEXT_x or BUILDKIT_SSH");
  EXPECT_EQ(advice("unset ssh forward key mine"), "set BUILDKIT_SSHTEXT_mine or BUILDKIT_SSH");
}

TEST(Advice, NamesTheParameterOfThePlatform) {
  EXPECT_EQ(advice("failed to resolve source metadata for x:1: no match for platform in manifest: not found"),
            "set IMAGE_PLATFORM, or --platform of the FROM, to one that it is there for");
}

TEST(Advice, NamesTheForeignPlatformThatDoesNotRun) {
  EXPECT_EQ(emulation_advice(image::Platform::parse("linux/arm64")),
            "programs for linux/arm64 do not run here: register QEMU with the kernel's binfmt_misc");
  EXPECT_EQ(emulation_advice(std::nullopt),
            "if the program is for another processor, register QEMU with the kernel's binfmt_misc");
}

TEST(Advice, IsSilentOnEverythingElse) {
  EXPECT_EQ(advice("process \"/bin/sh -c false\" did not complete successfully: exit code: 1"), "");
  EXPECT_EQ(advice("secret"), "");
  EXPECT_EQ(advice(""), "");
}

}  // namespace
}  // namespace engine
