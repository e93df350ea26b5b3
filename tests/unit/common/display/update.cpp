#include "common/display/update.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono;
using display::Update;

const display::Time noon = display::Time(seconds(1'700'000'000)) + milliseconds(250);

TEST(Update, IsALineAsBuildctlWritesIt) {
  const Update update{.vertexes = {{.digest = "sha256:a",
                                    .inputs = {"sha256:b"},
                                    .name = "[1/2] RUN \"x\" <&>",
                                    .started = noon,
                                    .completed = noon + seconds(1),
                                    .cached = true,
                                    .error = "no"}},
                      .logs = {{.vertex = "sha256:a", .data = "hi\n", .timestamp = noon}},
                      .warnings = {{.vertex = "sha256:a", .text = "so"}}};
  EXPECT_EQ(
      display::to_json(update),
      R"({"vertexes":[{"digest":"sha256:a","inputs":["sha256:b"],"name":"[1/2] RUN \"x\" <&>",)"
      R"("started":"2023-11-14T22:13:20.25Z","completed":"2023-11-14T22:13:21.25Z","cached":true,"error":"no"}],)"
      R"("logs":[{"vertex":"sha256:a","stream":1,"data":"aGkK","timestamp":"2023-11-14T22:13:20.25Z"}],)"
      R"("warnings":[{"vertex":"sha256:a","level":1,"short":"c28="}]})");
  EXPECT_EQ(display::to_json({}), "{}");
}

TEST(Update, IsReadBackAsItWasWritten) {
  const Update update{.vertexes = {{.digest = "sha256:a", .name = "x", .started = noon}},
                      .statuses = {{.id = "sha256:blob",
                                    .vertex = "sha256:a",
                                    .current = 5,
                                    .total = 10,
                                    .started = noon,
                                    .completed = noon}}};
  const auto read = display::parse_update(display::to_json(update));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->vertexes.size(), 1U);
  EXPECT_EQ(read->vertexes[0].name, "x");
  EXPECT_EQ(read->vertexes[0].started, noon);
  EXPECT_FALSE(read->vertexes[0].completed);
  ASSERT_EQ(read->statuses.size(), 1U);
  EXPECT_EQ(read->statuses[0].current, 5U);
  EXPECT_EQ(read->statuses[0].total, 10U);
  EXPECT_EQ(read->statuses[0].completed, noon);
}

TEST(Update, OfAGroupIsThatOfTheGroup) {
  const auto read = display::parse_update(
      R"({"vertexes":[{"digest":"sha256:a","name":"part","progressGroup":{"id":"g","name":"COPY --link"}}]})");
  EXPECT_EQ(read.value().vertexes.at(0).digest, "g");
  EXPECT_EQ(read.value().vertexes.at(0).name, "COPY --link");
}

TEST(Update, IsNothingOrEmptyWhereALineIsAnotherThing) {
  for (const auto* line : {"", "[]", "{", "null", "time=\"x\""})
    EXPECT_FALSE(display::parse_update(line)) << line;
  for (const auto* line : {"{}", R"({"vertexes":1})", R"({"vertexes":[1]})", R"({"logs":null,"new":[]})"})
    EXPECT_EQ(display::to_json(display::parse_update(line).value()), "{}") << line;
  const auto odd =
      display::parse_update(R"({"vertexes":[{"digest":1,"started":"never"}],"logs":[{"data":"%"}]})");
  EXPECT_FALSE(odd.value().vertexes.at(0).started);
  EXPECT_EQ(odd.value().logs.at(0).data, "");
}

TEST(Update, ReplacesWhatIsNoTextInNames) {
  EXPECT_EQ(display::to_json({.vertexes = {{.digest = "d", .name = "\xff"}}}),
            "{\"vertexes\":[{\"digest\":\"d\",\"name\":\"\xef\xbf\xbd\"}]}");
}

}  // namespace
