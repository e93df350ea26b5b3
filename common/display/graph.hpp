// The steps of a build as a picture: stages beside one another, each step below what it needs.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "common/display/board.hpp"

namespace display {

enum class Outcome {
  run,
  cached,
  failed,
  canceled,
  waiting,    // was not begun
  would_run,  // as a plan says, as what follows
  would_hit,  // the cache
  not_known,
};

struct GraphNode {
  std::string name;                      // all of it: "[build 2/4] RUN make"
  std::string stage;                     // "build"; for what is in no stage "sources"
  std::string text;                      // without the stage: "RUN make"
  std::vector<std::size_t> inputs = {};  // of nodes before it
  Outcome outcome = Outcome::waiting;
  std::chrono::duration<double> time = {};
  std::vector<std::string> notes = {};  // why it was not cached, what went wrong

  // "CACHED", "4.1s", "would run"
  std::string outcome_text() const;
};

struct Graph {
  std::vector<GraphNode> nodes;   // an input stands before what needs it
  std::vector<GraphNode> others;  // what is no step and serves none: what was loaded and exported
  std::string summary;            // one line
};

// Of what a build or a plan has told; what several parts show is one node.
Graph graph_of(const std::deque<Board>& parts);

// For Graphviz.
std::string to_dot(const Graph& graph);

// One page that needs nothing else and runs no script.
std::string to_html(const Graph& graph);

// By the end of its name, ".dot" or ".html". Throws util::Error for any other.
std::string graph_for(std::string_view file_name, const Graph& graph);

}  // namespace display
