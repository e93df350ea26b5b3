#include "tools/oci-params/spelling.hpp"

#include <gtest/gtest.h>

#include "common/util/text.hpp"
#include "tools/oci-params/parameters.hpp"
#include "tools/oci-params/run_tool.hpp"

namespace {

using Strings = std::vector<std::string>;

Strings warnings(const std::string& name) {
  return params::spelling_warnings(params::Environment({{name, "x"}}));
}

TEST(Spelling, GuessesWhatWasMeant) {
  const std::map<std::string, std::string> slips = {
      {"BUILD_ARGS_FLIE", "BUILD_ARGS_FILE"},
      {"UNPACK_ROOTF", "UNPACK_ROOTFS"},
      {"IMAGE_ARGS_base", "IMAGE_ARG_base"},
      {"BUILD_KIT_SSH", "BUILDKIT_SSH"},
      {"CONTEX", "CONTEXT"},
      {"DOCKER_FILE", "DOCKERFILE"},
      {"BUILDARG_foo", "BUILD_ARG_foo"},
      {"LABLE_a.b", "LABEL_a.b"},
      {"BUILD_ARGS", "BUILD_ARG_NAME"},
      {"BUILDKIT_SECRETS_x", "BUILDKIT_SECRET_x"},
      {"IMAGE_ARG", "IMAGE_ARG_NAME"},
      {"ADDITIONAL_TARGET", "ADDITIONAL_TARGETS"},
  };
  for (const auto& [slip, meant] : slips)
    EXPECT_EQ(params::meant_parameter(slip).value_or(""), meant) << slip;
}

TEST(Spelling, SaysWhenOnlyTheCaseDiffers) {
  EXPECT_EQ(warnings("context"),
            (Strings{"'context' is no parameter, for upper and lower case differ; did you mean 'CONTEXT'?"}));
  EXPECT_EQ(warnings("build_arg_Foo"),
            (Strings{"'build_arg_Foo' is no parameter, for upper and lower case differ; did you mean "
                     "'BUILD_ARG_Foo'?"}));
}

TEST(Spelling, NamesWhatLooksLikeBuildKitsAndIsNothing) {
  EXPECT_EQ(warnings("BUILDKIT_CACHE_DIR"),
            (Strings{"'BUILDKIT_CACHE_DIR' is no parameter; 'oci-params --list' shows all"}));
  EXPECT_EQ(warnings("BUILDKIT_PROGRESS"), Strings());
}

TEST(Spelling, LetsParametersBe) {
  for (const auto& [name, kind, description] : params::parameters()) {
    const auto variable = std::string(name) + (kind == params::Kind::family ? "x" : "");
    EXPECT_EQ(warnings(variable), Strings());
  }
}

TEST(Spelling, LetsAnOrdinaryEnvironmentBe) {
  for (const char* name :
       {"PATH", "HOME", "PWD", "OLDPWD", "USER", "LOGNAME", "SHELL", "SHLVL", "TERM", "LANG", "LANGUAGE",
        "LC_ALL", "TZ", "HOSTNAME", "TMPDIR", "EDITOR", "PAGER", "MAIL", "COLUMNS", "LINES", "DISPLAY", "_",
        "DEBIAN_FRONTEND", "CI", "NO_COLOR", "GOPATH", "GOCACHE", "GOFLAGS", "CARGO_HOME", "CC", "CXX",
        "CFLAGS", "LD_LIBRARY_PATH", "JAVA_HOME", "TARGETARCH", "TARGETOS", "TARGETPLATFORM", "BUILDPLATFORM",
        "SSH_AUTH_SOCK", "SSL_CERT_FILE", "XDG_CACHE_HOME", "DOCKER_HOST", "DOCKER_CONTEXT",
        "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_BUILDKIT", "AWS_ACCESS_KEY_ID", "AWS_REGION",
        "GITHUB_TOKEN", "http_proxy", "HTTPS_PROXY", "no_proxy",
        // What Concourse sets.
        "ATC_EXTERNAL_URL", "BUILD_ID", "BUILD_NAME", "BUILD_JOB_ID", "BUILD_JOB_NAME", "BUILD_PIPELINE_ID",
        "BUILD_PIPELINE_NAME", "BUILD_PIPELINE_INSTANCE_VARS", "BUILD_TEAM_ID", "BUILD_TEAM_NAME",
        "BUILD_CREATED_BY", "BUILD_URL", "BUILD_URL_SHORT", "HTTP_PROXY"}) {
    EXPECT_EQ(warnings(name), Strings()) << name;
  }
}

TEST(Parameters, AreListedOnALineEachThatFitsATerminal) {
  const auto list = params::parameter_list();
  const auto lines = util::split(list, '\n');
  EXPECT_EQ(lines.size(), params::parameters().size() + 1);
  for (const auto& [name, kind, description] : params::parameters()) {
    EXPECT_LE(description.size(), 80U) << name;
    EXPECT_FALSE(description.ends_with('.')) << name;
  }
}

}  // namespace
