#include "common/plan/image_config.hpp"

#include <gtest/gtest.h>

#include "common/hash/sha256.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"

namespace plan {
namespace {

const image::Platform amd64{.os = "linux", .architecture = "amd64", .variant = ""};

std::string config_of(const std::string& inner) {
  return R"({"architecture":"amd64","os":"linux","config":)" + inner + "}";
}

TEST(ImageConfig, OfScratchHoldsPathAndTheRootAsWorkingDirectory) {
  EXPECT_EQ(
      to_json(ImageConfig::scratch(amd64), {}, {}),
      R"({"architecture":"amd64","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"WorkingDir":"/"},"created":null,"history":null,"os":"linux","rootfs":{"type":"layers","diff_ids":null}})");
}

TEST(ImageConfig, IsWrittenWithSortedKeysOutsideAndInTheOrderOfDockersStructInside) {
  ImageConfig config;
  config.author = "me";
  config.platform = {.os = "linux", .architecture = "arm", .variant = "v7"};
  config.os_version = "1";
  config.user = "app";
  config.exposed_ports = {"80/tcp", "53/udp"};
  config.env = {"A=1", "B=2"};
  config.entrypoint = {"/init"};
  config.cmd = {"serve", "--all"};
  config.volumes = {"/data", "/cache"};
  config.working_dir = "/srv";
  config.labels = {{"z", "last"}, {"a", ""}};
  config.stop_signal = "SIGINT";
  config.args_escaped = true;
  config.healthcheck = Healthcheck{.test = {"CMD", "true"},
                                   .interval = std::chrono::seconds(5),
                                   .timeout = std::chrono::milliseconds(1500),
                                   .start_period = std::chrono::minutes(1),
                                   .start_interval = std::chrono::nanoseconds(7),
                                   .retries = 3};
  config.on_build = {"RUN make"};
  config.shell = {"/bin/bash", "-c"};
  EXPECT_EQ(
      to_json(config, {}, {}),
      R"({"architecture":"arm","author":"me","config":{"User":"app","ExposedPorts":{"53/udp":{},"80/tcp":{}},"Env":["A=1","B=2"],"Entrypoint":["/init"],"Cmd":["serve","--all"],"Volumes":{"/cache":{},"/data":{}},"WorkingDir":"/srv","Labels":{"a":"","z":"last"},"StopSignal":"SIGINT","ArgsEscaped":true,"Healthcheck":{"Test":["CMD","true"],"Interval":5000000000,"Timeout":1500000000,"StartPeriod":60000000000,"StartInterval":7,"Retries":3},"OnBuild":["RUN make"],"Shell":["/bin/bash","-c"]},"created":null,"history":null,"os":"linux","os.version":"1","rootfs":{"type":"layers","diff_ids":null},"variant":"v7"})");
}

TEST(ImageConfig, EscapesWhatGoEscapes) {
  ImageConfig config;
  config.labels = {{"text", "<a> & \"b\" \\ \n\t\r\b\f\x01 \x7f \u2028\u2029 \u00e9 \U0001f600"}};
  EXPECT_NE(to_json(config, {}, {})
                .find(R"("text":"\u003ca\u003e \u0026 \"b\" \\ \n\t\r\b\f\u0001 )"
                      "\x7f"
                      R"( \u2028\u2029 )"
                      "\u00e9 \U0001f600\""),
            std::string::npos)
      << to_json(config, {}, {});
}

TEST(ImageConfig, IsAsOldAsTheLastHistoryEntryThatHasATime) {
  const std::vector<HistoryRecord> history = {{.created = util::Date::parse("2020-01-01T00:00:00Z"),
                                               .created_by = "base",
                                               .author = "",
                                               .comment = ""},
                                              {.created = util::Date::parse("2024-01-01T00:00:00Z"),
                                               .created_by = "RUN x",
                                               .author = "me",
                                               .comment = "buildkit"},
                                              {.created_by = "ENV a=b", .empty_layer = true}};
  const auto layer = hash::sha256("layer");
  EXPECT_EQ(
      to_json({}, history, {layer}),
      R"({"architecture":"","config":{},"created":"2024-01-01T00:00:00Z","history":[{"created":"2020-01-01T00:00:00Z","created_by":"base"},{"created":"2024-01-01T00:00:00Z","created_by":"RUN x","author":"me","comment":"buildkit"},{"created_by":"ENV a=b","empty_layer":true}],"os":"","rootfs":{"type":"layers","diff_ids":[")" +
          layer.str() + R"("]}})");
}

TEST(ImageConfig, TakesOverEveryFieldOfABase) {
  const std::string base = config_of(
      R"({"User":"u","ExposedPorts":{"80/tcp":{}},"Env":["PATH=/p"],"Entrypoint":["e"],"Cmd":["c"],"Volumes":{"/v":{}},"WorkingDir":"/w","Labels":{"k":"v"},"StopSignal":"9","ArgsEscaped":true,"Healthcheck":{"Test":["NONE"],"Retries":2},"OnBuild":["RUN x"],"Shell":["s"]})");
  const auto config = ImageConfig::parse(base, "base");
  EXPECT_EQ(config.user, "u");
  EXPECT_EQ(config.exposed_ports, std::set<std::string>{"80/tcp"});
  EXPECT_EQ(config.env, std::vector<std::string>{"PATH=/p"});
  EXPECT_EQ(config.entrypoint, std::vector<std::string>{"e"});
  EXPECT_EQ(config.cmd, std::vector<std::string>{"c"});
  EXPECT_EQ(config.volumes, std::set<std::string>{"/v"});
  EXPECT_EQ(config.working_dir, "/w");
  EXPECT_EQ(config.labels, (std::map<std::string, std::string>{{"k", "v"}}));
  EXPECT_EQ(config.stop_signal, "9");
  ASSERT_TRUE(config.healthcheck);
  EXPECT_EQ(config.healthcheck->test, std::vector<std::string>{"NONE"});
  EXPECT_EQ(config.healthcheck->retries, 2);
  EXPECT_EQ(config.on_build, std::vector<std::string>{"RUN x"});
  EXPECT_EQ(config.shell, std::vector<std::string>{"s"});
}

TEST(ImageConfig, AddsPathToABaseThatHasNone) {
  const auto config = ImageConfig::parse(config_of(R"({"Env":["XPATH=1"]})"), "base");
  EXPECT_EQ(config.env, (std::vector<std::string>{
                            "XPATH=1", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}));
  EXPECT_EQ(ImageConfig::parse(R"({"config":null})", "base").env.size(), 1U);
}

TEST(ImageConfig, RefusesABaseWhoseFieldsHaveOtherTypes) {
  for (const std::string inner :
       {R"({"User":1})", R"({"Env":{}})", R"({"Env":[1]})", R"({"ExposedPorts":["80"]})",
        R"({"Volumes":"/v"})", R"({"Labels":["a"]})", R"({"Labels":{"a":1}})", R"({"Healthcheck":[]})",
        R"({"Healthcheck":{"Interval":"5s"}})", R"({"Healthcheck":{"Retries":"3"}})",
        R"({"Healthcheck":{"Retries":1e300}})", R"({"OnBuild":"RUN x"})", R"([])", R"("text")"}) {
    EXPECT_THROW(ImageConfig::parse(config_of(inner), "base"), util::Error) << inner;
  }
  for (const std::string document : {"[]", "", "{", R"({"os":{}})", R"({"author":[]})"}) {
    EXPECT_THROW(ImageConfig::parse(document, "base"), util::Error) << document;
  }
}

TEST(ImageConfig, NamesTheBaseAndTheFieldThatIsWrong) {
  EXPECT_EQ(test::error_of([] { ImageConfig::parse(config_of(R"({"User":1})"), "debian:12"); }),
            "debian:12: field 'config.User': expected a string");
}

TEST(ImageConfig, TakesTheNormalNamesOfThePlatformThatTheBaseNames) {
  auto config = ImageConfig::parse(
      R"({"architecture":"aarch64","os":"Linux","variant":"V8","os.features":["b","a","b"]})", "base");
  config.normalize_platform();
  EXPECT_EQ(config.platform.str(), "linux/arm64");
  EXPECT_EQ(config.os_features, (std::vector<std::string>{"a", "b"}));
  config = ImageConfig::parse(R"({"architecture":"x86_64"})", "base");
  config.normalize_platform();
  EXPECT_EQ(config.platform.str(), "linux/amd64");
}

TEST(ImageConfig, KeepsWhatTheBaseSaysMoreOfThePlatformThatWasAskedFor) {
  const std::string base =
      R"({"architecture":"amd64","os":"linux","variant":"v3","os.version":"6","os.features":["f"]})";
  auto config = ImageConfig::parse(base, "base");
  config.set_platform(amd64);
  EXPECT_EQ(config.platform.variant, "v3");
  EXPECT_EQ(config.os_version, "6");
  config.set_platform({.os = "linux", .architecture = "amd64", .variant = "v2"});
  EXPECT_EQ(config.platform.variant, "v2");
  config.set_platform({.os = "linux", .architecture = "arm64", .variant = ""});
  EXPECT_EQ(config.platform.str(), "linux/arm64");
  EXPECT_EQ(config.os_version, "");
  EXPECT_EQ(config.os_features, std::vector<std::string>{"f"});
}

TEST(History, OfABaseMustBeDated) {
  EXPECT_EQ(
      test::error_of([] { ImageConfig::parse(R"({"history":[{"created":"today"}]})", "base"); }),
      "base: parsing time \"today\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"today\" as \"2006\"");
}

TEST(History, OfABaseIsTakenOverAsItStands) {
  const auto history = parse_history(
      R"({"history":[{"created":"2020-01-02T03:04:05.6Z","created_by":"/bin/sh -c #(nop) ADD x","author":"a","comment":"c"},{"created":null,"empty_layer":true},{},null]})",
      "base");
  ASSERT_EQ(history.size(), 4U);
  EXPECT_EQ(history[0].created.value().str(), "2020-01-02T03:04:05.6Z");
  EXPECT_EQ(history[0].created_by, "/bin/sh -c #(nop) ADD x");
  EXPECT_EQ(history[0].author, "a");
  EXPECT_EQ(history[0].comment, "c");
  EXPECT_FALSE(history[0].empty_layer);
  EXPECT_TRUE(history[1].empty_layer);
  EXPECT_FALSE(history[1].created);
  EXPECT_TRUE(parse_history(R"({"history":null})", "base").empty());
  EXPECT_THROW(parse_history(R"({"history":{}})", "base"), util::Error);
  EXPECT_THROW(parse_history(R"({"history":[{"created":5}]})", "base"), util::Error);
}

}  // namespace
}  // namespace plan
