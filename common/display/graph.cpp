// From boards to a graph, and to DOT.
#include "common/display/graph.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "common/display/graph_page.hpp"
#include "common/display/layout.hpp"
#include "common/display/summary.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace display {
namespace {

constexpr std::string_view sources = "sources";
constexpr std::string_view only_stage = "stage";

// "[linux/arm64 build 2/4] RUN make" is "linux/arm64 build" and "RUN make".
void split_name(GraphNode& node) {
  node.stage = sources;
  node.text = node.name;
  if (!is_step(node.name)) return;
  const auto end = node.name.find("] ");
  const auto inside = node.name.substr(1, end - 1);
  const auto blank = inside.rfind(' ');
  node.stage = blank == std::string::npos ? std::string(only_stage) : inside.substr(0, blank);
  node.text = node.name.substr(end + 2);
}

// Of two parts that show the same, what was done is said by the one that did it.
int weight(Outcome outcome) {
  switch (outcome) {
    case Outcome::failed:
      return 4;
    case Outcome::run:
    case Outcome::would_run:
      return 3;
    case Outcome::canceled:
      return 2;
    case Outcome::cached:
    case Outcome::would_hit:
      return 1;
    case Outcome::not_known:
    case Outcome::waiting:
      break;
  }
  return 0;
}

Outcome outcome_of(const Work& work) {
  if (!work.forecast.empty()) {
    if (work.forecast.starts_with("CACHED")) return Outcome::would_hit;
    return work.forecast.starts_with("would run") ? Outcome::would_run : Outcome::not_known;
  }
  if (work.canceled) return Outcome::canceled;
  if (!work.error.empty()) return Outcome::failed;
  if (!work.completed) return Outcome::waiting;
  return work.cached ? Outcome::cached : Outcome::run;
}

struct Collected {
  GraphNode node;
  std::vector<std::string> inputs = {};  // digests
};

class Collection {
public:
  void add(const Board& part) {
    for (const auto* work : part.work()) {
      if (work->name.empty()) continue;
      auto& collected = at(work->digest);
      auto& node = collected.node;
      node.name = work->name;
      for (const auto& input : work->inputs) {
        auto& inputs = collected.inputs;
        if (std::find(inputs.begin(), inputs.end(), input) == inputs.end()) inputs.push_back(input);
      }
      const auto outcome = outcome_of(*work);
      if (outcome == Outcome::run || outcome == Outcome::failed || outcome == Outcome::canceled)
        node.time += work->duration(part.end().value_or(Time()));
      if (weight(outcome) >= weight(node.outcome)) node.outcome = outcome;
      add_notes(*work, node);
    }
  }

  Graph graph() {
    Graph graph;
    std::map<std::string, bool> is_needed;
    for (auto& one : all_) {
      split_name(one.node);
      for (const auto& input : one.inputs)
        is_needed[input] = true;
    }
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const bool is_alone = all_[i].inputs.empty() && !is_needed[digests_[i]];
      if (is_alone && !is_step(all_[i].node.name)) {
        graph.others.push_back(all_[i].node);
      } else {
        place(digests_[i], graph);
      }
    }
    return graph;
  }

private:
  Collected& at(const std::string& digest) {
    const auto [found, is_new] = by_digest_.try_emplace(digest, all_.size());
    if (is_new) {
      all_.emplace_back();
      digests_.push_back(digest);
    }
    return all_[found->second];
  }

  static void add_notes(const Work& work, GraphNode& node) {
    const auto add = [&](const std::string& note) {
      if (std::find(node.notes.begin(), node.notes.end(), note) == node.notes.end())
        node.notes.push_back(note);
    };
    for (const auto& status : work.statuses) {
      if (status.id.starts_with("not cached: ")) add(status.id);
    }
    for (const auto& warning : work.warnings)
      add("warning: " + warning);
    if (!work.error.empty() && !work.canceled) add(work.error);
    if (!work.forecast.empty()) add(work.forecast);
  }

  // After its inputs. Whoever tells of a circle has each of its steps once.
  std::optional<std::size_t> place(const std::string& digest, Graph& graph) {
    const auto found = by_digest_.find(digest);
    if (found == by_digest_.end()) return std::nullopt;
    const auto [known, is_new] = placed_.try_emplace(digest, std::nullopt);
    if (!is_new) return known->second;
    auto& collected = all_[found->second];
    auto node = collected.node;
    for (const auto& input : collected.inputs) {
      if (const auto index = place(input, graph)) node.inputs.push_back(*index);
    }
    graph.nodes.push_back(std::move(node));
    placed_[digest] = graph.nodes.size() - 1;
    return graph.nodes.size() - 1;
  }

  std::deque<Collected> all_;
  std::vector<std::string> digests_;
  std::map<std::string, std::size_t> by_digest_;
  std::map<std::string, std::optional<std::size_t>> placed_;
};

std::string in_dot(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c == '&' ? "&amp;" : std::string(1, c);
  }
  return quoted + "\"";
}

std::string_view dot_colour(Outcome outcome) {
  switch (outcome) {
    case Outcome::run:
    case Outcome::would_run:
      return "#cfe0fc";
    case Outcome::cached:
    case Outcome::would_hit:
      return "#cdeccf";
    case Outcome::failed:
      return "#f9cdc9";
    case Outcome::canceled:
      return "#fbe7b5";
    case Outcome::waiting:
    case Outcome::not_known:
      break;
  }
  return "#e8e8e8";
}

}  // namespace

std::string GraphNode::outcome_text() const {
  switch (outcome) {
    case Outcome::run:
      return shown_time(time);
    case Outcome::cached:
    case Outcome::would_hit:
      return "CACHED";
    case Outcome::failed:
      return "ERROR " + shown_time(time);
    case Outcome::canceled:
      return "CANCELED";
    case Outcome::would_run:
      return "would run";
    case Outcome::not_known:
      return "not known yet";
    case Outcome::waiting:
      break;
  }
  return "not run";
}

Graph graph_of(const std::deque<Board>& parts) {
  Collection collection;
  for (const auto& part : parts)
    collection.add(part);
  auto graph = collection.graph();
  const auto counted = [&](Outcome outcome) {
    return std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const GraphNode& node) {
      return node.outcome == outcome && is_step(node.name) && !node.text.starts_with("FROM ");
    });
  };
  const auto would = counted(Outcome::would_run) + counted(Outcome::would_hit) + counted(Outcome::not_known);
  if (would > 0) {
    graph.summary = std::to_string(counted(Outcome::would_hit)) + " cached, " +
                    std::to_string(counted(Outcome::would_run)) + " would run, " +
                    std::to_string(counted(Outcome::not_known)) + " not known yet";
  } else {
    const auto text = summary(parts);
    graph.summary = text.substr(0, text.find('\n'));
  }
  return graph;
}

std::string to_dot(const Graph& graph) {
  std::string text = "digraph build {\n  label=" + in_dot(graph.summary) +
                     ";\n  labelloc=t;\n  fontname=\"sans-serif\";\n"
                     "  node [shape=box, style=\"rounded,filled\", fontname=\"monospace\", fontsize=10, "
                     "color=\"#888888\"];\n"
                     "  edge [color=\"#888888\"];\n";
  std::vector<std::string> stages;
  for (const auto& node : graph.nodes) {
    if (std::find(stages.begin(), stages.end(), node.stage) == stages.end()) stages.push_back(node.stage);
  }
  for (std::size_t stage = 0; stage < stages.size(); ++stage) {
    text += "  subgraph cluster_" + std::to_string(stage) + " {\n    label=" + in_dot(stages[stage]) +
            ";\n    color=\"#bbbbbb\";\n";
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const auto& node = graph.nodes[i];
      if (node.stage != stages[stage]) continue;
      auto label = in_dot(short_text(node.text));
      label.insert(label.size() - 1, "\\n" + node.outcome_text());
      text += "    n" + std::to_string(i) + " [label=" + label + ", fillcolor=\"" +
              std::string(dot_colour(node.outcome)) + "\", tooltip=" +
              in_dot(node.name + (node.notes.empty() ? "" : " (" + util::join(node.notes, "; ") + ")")) +
              "];\n";
    }
    text += "  }\n";
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const std::size_t input : graph.nodes[i].inputs)
      text += "  n" + std::to_string(input) + " -> n" + std::to_string(i) + ";\n";
  }
  return text + "}\n";
}

std::string graph_for(std::string_view file_name, const Graph& graph) {
  if (file_name.ends_with(".dot")) return to_dot(graph);
  if (file_name.ends_with(".html")) return to_html(graph);
  throw util::Error("the graph " + util::quote(file_name) + " ends neither in '.html' nor in '.dot'");
}

}  // namespace display
