#include "common/display/graph.hpp"

#include <gtest/gtest.h>

#include <set>

#include "common/display/graph_page.hpp"
#include "common/util/error.hpp"

namespace {

using namespace std::chrono;
using display::Board;
using display::Outcome;

const display::Time graph_start = display::Time(seconds(1000));

void tell(Board& board, const std::string& digest, const std::string& name, std::vector<std::string> inputs,
          std::optional<milliseconds> time, bool cached = false, const std::string& error = "") {
  display::Vertex vertex{
      .digest = digest, .inputs = std::move(inputs), .name = name, .cached = cached, .error = error};
  if (time) {
    vertex.started = graph_start;
    vertex.completed = graph_start + *time;
  }
  board.apply({.vertexes = {vertex}}, graph_start);
}

std::deque<Board> build() {
  std::deque<Board> parts(1);
  auto& board = parts[0];
  tell(board, "load", "[internal] load build definition", {}, milliseconds(1));
  // The last step is told of first, as BuildKit does.
  tell(board, "copy", "[2/3] COPY --from=build /a /b", {"from", "make"}, std::nullopt);
  tell(board, "base", "[context busybox] OCI load from client", {}, milliseconds(10));
  tell(board, "from", "[1/3] FROM debian", {}, milliseconds(0), true);
  tell(board, "make", "[build 1/1] RUN make", {"base"}, seconds(4), false, "exit code: 2");
  board.end(graph_start + seconds(5));
  return parts;
}

TEST(Graph, HasEachStepBehindWhatItNeeds) {
  const auto graph = display::graph_of(build());
  ASSERT_EQ(graph.nodes.size(), 4U);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const auto input : graph.nodes[i].inputs)
      EXPECT_LT(input, i);
  }
  ASSERT_EQ(graph.others.size(), 1U);
  EXPECT_EQ(graph.others[0].name, "[internal] load build definition");
  EXPECT_EQ(graph.nodes[0].stage, "sources");
  EXPECT_EQ(graph.nodes[1].stage, "stage");
  EXPECT_EQ(graph.nodes[1].outcome, Outcome::cached);
  EXPECT_EQ(graph.nodes[2].stage, "build");
  EXPECT_EQ(graph.nodes[2].text, "RUN make");
  EXPECT_EQ(graph.nodes[2].outcome_text(), "ERROR 4.0s");
  EXPECT_EQ(graph.nodes[2].notes, std::vector<std::string>{"exit code: 2"});
  EXPECT_EQ(graph.nodes[3].outcome_text(), "not run");
}

TEST(Graph, TakesAStepOfSeveralPartsForOne) {
  std::deque<Board> parts(2);
  tell(parts[0], "a", "[a 1/1] RUN make", {}, seconds(2));
  tell(parts[1], "a", "[a 1/1] RUN make", {}, seconds(0), true);
  const auto graph = display::graph_of(parts);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].outcome_text(), "2.0s");
}

TEST(Graph, SaysWhatAPlanSays) {
  std::deque<Board> parts(1);
  tell(parts[0], "a", "[1/3] RUN a", {}, std::nullopt);
  tell(parts[0], "b", "[2/3] RUN b", {"a"}, std::nullopt);
  tell(parts[0], "c", "[3/3] RUN c", {"b"}, std::nullopt);
  parts[0].at("a").forecast = "CACHED";
  parts[0].at("b").forecast = "would run: the instruction changed";
  parts[0].at("c").forecast = "unknown until #2 has run";
  const auto graph = display::graph_of(parts);
  EXPECT_EQ(graph.summary, "1 cached, 1 would run, 1 not known yet");
  EXPECT_EQ(graph.nodes[1].outcome_text(), "would run");
  EXPECT_NE(display::to_html(graph).find("would run: the instruction changed"), std::string::npos);
}

TEST(Graph, EndsWhereWhoTellsOfItNamesACircle) {
  std::deque<Board> parts(1);
  tell(parts[0], "a", "[1/2] RUN a", {"b", "a", "absent"}, seconds(1));
  tell(parts[0], "b", "[2/2] RUN b", {"a"}, seconds(1));
  const auto graph = display::graph_of(parts);
  EXPECT_EQ(graph.nodes.size(), 2U);
  display::to_html(graph);
}

TEST(Graph, LeavesNoNameOfItsTextInHtmlOrDot) {
  std::deque<Board> parts(1);
  tell(parts[0], "a", "[</title><script>alert(1)</script>\"' 1/1] RUN \"a\\\" & <b> --> \\N \x1b[31m", {},
       seconds(1));
  const auto graph = display::graph_of(parts);
  const auto html = display::to_html(graph);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("alert(1)</"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;"), std::string::npos);
  EXPECT_EQ(html.find('\x1b'), std::string::npos);
  const auto dot = display::to_dot(graph);
  EXPECT_NE(dot.find("RUN \\\"a\\\\\\\" &amp; <b> --> \\\\N"), std::string::npos) << dot;
  // Every quote that is not escaped opens or closes.
  std::size_t quotes = 0;
  for (std::size_t i = 0; i < dot.size(); ++i) {
    if (dot[i] == '\\') {
      ++i;
    } else if (dot[i] == '"') {
      ++quotes;
    }
  }
  EXPECT_EQ(quotes % 2, 0U);
}

TEST(Graph, PutsNoTwoStepsOnOnePlaceAndEachBelowWhatItNeeds) {
  std::deque<Board> parts(1);
  for (int stage = 0; stage < 4; ++stage) {
    for (int i = 0; i < 5; ++i) {
      const auto name = std::to_string(stage) + "." + std::to_string(i);
      std::vector<std::string> inputs;
      if (i > 0) inputs.push_back(std::to_string(stage) + "." + std::to_string(i - 1));
      if (stage > 0) inputs.push_back(std::to_string(stage - 1) + "." + std::to_string(4 - i));
      tell(parts[0], name, "[s" + std::to_string(stage) + " " + std::to_string(i + 1) + "/5] RUN x", inputs,
           seconds(1));
    }
  }
  const auto html = display::to_html(display::graph_of(parts));
  std::set<std::string> places;
  std::size_t boxes = 0;
  for (auto at = html.find("class=\"box\""); at != std::string::npos;
       at = html.find("class=\"box\"", at + 1)) {
    ++boxes;
    places.insert(html.substr(at, html.find(" width", at) - at));
  }
  EXPECT_EQ(boxes, 20U);
  EXPECT_EQ(places.size(), 20U);
}

TEST(Graph, ShowsOfAStepWhatThereIsRoomFor) {
  EXPECT_EQ(display::short_text("RUN --mount=type=cache,target=/x --network=none make"), "RUN make");
  EXPECT_EQ(display::short_text("COPY --link --from=build /a /b"), "COPY --from=build /a /b");
  EXPECT_EQ(display::short_text("RUN make --silent"), "RUN make --silent");
  EXPECT_EQ(display::short_text("RUN " + std::string(100, 'x')), "RUN " + std::string(27, 'x') + "...");
}

TEST(Graph, IsWrittenByTheEndOfItsName) {
  EXPECT_TRUE(display::graph_for("a/b.dot", {}).starts_with("digraph"));
  EXPECT_TRUE(display::graph_for("b.html", {}).starts_with("<!DOCTYPE html>"));
  EXPECT_THROW(display::graph_for("b.svg", {}), util::Error);
}

}  // namespace
