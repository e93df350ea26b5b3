// History that does not match the layers.
#include "common/output/history.hpp"

#include <gtest/gtest.h>

namespace output {
namespace {

using History = std::vector<plan::HistoryRecord>;

const auto early = util::Date{.seconds = 10};
const auto build_time = util::Date{.seconds = 100};
const std::vector<LayerOrigin> two_layers = {{"pulled from base", build_time}, {"[2/2] COPY x", build_time}};

// "created_by" of each entry, with "-" behind what has no layer.
std::vector<std::string> names_of(const History& history) {
  std::vector<std::string> names;
  for (const auto& record : history)
    names.push_back(record.created_by + (record.empty_layer ? "-" : ""));
  return names;
}

std::vector<std::int64_t> seconds_of(const History& history) {
  std::vector<std::int64_t> times;
  for (const auto& record : history)
    times.push_back(record.created ? record.created->seconds : -1);
  return times;
}

TEST(CompletedHistory, HasAnEntryForEachLayerThatNobodyToldOfAtTheEnd) {
  const auto history = complete_history({}, {{.created_by = "COPY x"}}, two_layers, {});
  EXPECT_EQ(names_of(history), (std::vector<std::string>{"COPY x", "[2/2] COPY x"}));
  EXPECT_EQ(history[1].comment, "buildkit.exporter.image.v0");
  EXPECT_EQ(seconds_of(history), (std::vector<std::int64_t>{100, 100}));
}

TEST(CompletedHistory, TakesLayersFromEntriesThatAreTooMany) {
  const History base = {{.created = early, .created_by = "a"}, {.created = early, .created_by = "b"}};
  const auto history = complete_history(base, {{.created_by = "COPY x"}}, two_layers, {});
  EXPECT_EQ(names_of(history), (std::vector<std::string>{"a", "b", "COPY x-"}));
}

TEST(CompletedHistory, DatesWhatHasNoDateByItsLayerOrThatBefore) {
  const History base = {{.created = early, .created_by = "a"}, {.created_by = "b", .empty_layer = true}};
  const History added = {{.created_by = "ENV x", .empty_layer = true}, {.created_by = "COPY x"}};
  EXPECT_EQ(seconds_of(complete_history(base, added, two_layers, {})),
            (std::vector<std::int64_t>{10, 100, 100, 100}));
}

TEST(CompletedHistory, IsAsOldAsTheEpochFromWhereTheBaseIsNotAsItWas) {
  const auto late = util::Date{.seconds = 1000};
  const History base = {{.created = late, .created_by = "a"},
                        {.created_by = "b", .empty_layer = true},
                        {.created = late, .created_by = "c", .empty_layer = true}};
  EXPECT_EQ(seconds_of(complete_history(base, {}, {two_layers.front()}, util::Date{.seconds = 50})),
            (std::vector<std::int64_t>{1000, 50, 50}));
}

}  // namespace
}  // namespace output
