// A graph as SVG in a page. A stage is a column; a step is a row below the lowest of what it needs.
#include "common/display/graph_page.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "common/display/graph.hpp"
#include "common/display/layout.hpp"
#include "common/display/terminal_text.hpp"
#include "common/util/text.hpp"

namespace display {
namespace {

constexpr std::size_t most_characters = 34;
constexpr int box_width = 270;
constexpr int box_height = 44;
constexpr int column_gap = 60;
constexpr int row_gap = 26;
constexpr int margin = 14;
constexpr int head_height = 30;  // the name of a stage
constexpr std::size_t most_bars = 30;

constexpr std::string_view style = R"(
:root { color-scheme: light dark; --back: #fff; --fore: #1b1f24; --soft: #656d76; --lane: #f4f6f8; --line: #9aa4af;
  --run: #2f6fdb; --run-back: #e3edfd; --cached: #2b8a3e; --cached-back: #e2f4e5; --failed: #c92a2a;
  --failed-back: #fde3e1; --canceled: #b7791f; --canceled-back: #fdf1d3; --waiting: #868e96; --waiting-back: #ececec; }
@media (prefers-color-scheme: dark) { :root { --back: #14171b; --fore: #e4e7eb; --soft: #98a2ad; --lane: #1d2127;
  --line: #66707b; --run: #6ea8fe; --run-back: #1d2f4d; --cached: #69db7c; --cached-back: #17351d; --failed: #ff8787;
  --failed-back: #4a1d1d; --canceled: #ffd43b; --canceled-back: #40340f; --waiting: #868e96; --waiting-back: #2a2e34; } }
body { margin: 1.5rem; background: var(--back); color: var(--fore); font: 14px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.3rem; margin: 0; } h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
p { margin: .2rem 0 1rem; color: var(--soft); }
.graph { overflow-x: auto; } svg { display: block; }
.lane { fill: var(--lane); } .stage { fill: var(--soft); font: 600 12px system-ui, sans-serif; }
.edge { fill: none; stroke: var(--line); stroke-width: 1.4; }
#arrow { fill: var(--line); }
.text { fill: var(--fore); font: 12px ui-monospace, monospace; } .state { font: 11px system-ui, sans-serif; }
.box { stroke-width: 1.2; }
.plan .box { stroke-dasharray: 5 3; }
.run .box { fill: var(--run-back); stroke: var(--run); } .run .state { fill: var(--run); }
.cached .box { fill: var(--cached-back); stroke: var(--cached); } .cached .state { fill: var(--cached); }
.failed .box { fill: var(--failed-back); stroke: var(--failed); } .failed .state { fill: var(--failed); }
.canceled .box { fill: var(--canceled-back); stroke: var(--canceled); } .canceled .state { fill: var(--canceled); }
.waiting .box { fill: var(--waiting-back); stroke: var(--waiting); } .waiting .state { fill: var(--waiting); }
table { border-collapse: collapse; width: 100%; max-width: 70rem; } td { padding: .15rem .6rem .15rem 0; vertical-align: top; }
td.time { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; width: 5rem; }
td.bar { width: 30%; } td.bar div { background: var(--run); height: .7rem; margin-top: .35rem; border-radius: 2px; min-width: 1px; }
td.name { font: 12px/1.6 ui-monospace, monospace; overflow-wrap: anywhere; }
)";

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string_view class_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::run:
      return "run";
    case Outcome::would_run:
      return "run plan";
    case Outcome::cached:
      return "cached";
    case Outcome::would_hit:
      return "cached plan";
    case Outcome::failed:
      return "failed";
    case Outcome::canceled:
      return "canceled";
    case Outcome::not_known:
      return "waiting plan";
    case Outcome::waiting:
      break;
  }
  return "waiting";
}

std::string attribute(std::string_view name, int value) {
  return " " + std::string(name) + "=\"" + std::to_string(value) + "\"";
}

class Picture {
public:
  explicit Picture(const Graph& graph) : graph_(graph) {
    std::map<std::size_t, std::size_t> last_row;  // of a column
    for (const auto& node : graph.nodes) {
      const auto [stage, is_new] = columns_.try_emplace(node.stage, stages_.size());
      if (is_new) stages_.push_back(node.stage);
      const auto column = stage->second;
      std::size_t row = 0;
      for (const std::size_t input : node.inputs)
        row = std::max(row, places_[input].row + 1);
      if (const auto last = last_row.find(column); last != last_row.end())
        row = std::max(row, last->second + 1);
      last_row[column] = row;
      places_.push_back({column, row});
      rows_ = std::max(rows_, row + 1);
    }
  }

  std::string svg() const {
    const int width = 2 * margin + static_cast<int>(stages_.size()) * (box_width + column_gap) - column_gap;
    const int height = 2 * margin + head_height + static_cast<int>(rows_) * (box_height + row_gap);
    std::string text =
        "<svg xmlns=\"http://www.w3.org/2000/svg\"" + attribute("width", width + 2 * margin) +
        attribute("height", height) +
        ">\n<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
        "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n";
    for (std::size_t column = 0; column < stages_.size(); ++column) {
      const int x = left(column) - margin;
      text += "<rect class=\"lane\" rx=\"8\"" + attribute("x", x) + attribute("y", margin / 2) +
              attribute("width", box_width + 2 * margin) + attribute("height", height - margin) +
              "/>\n<text class=\"stage\"" + attribute("x", x + margin) + attribute("y", margin / 2 + 21) +
              "><title>" + escaped(stages_[column]) + "</title>" +
              escaped(shortened(stages_[column], most_characters)) + "</text>\n";
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (const std::size_t input : graph_.nodes[i].inputs)
        text += edge(places_[input], places_[i]);
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
      text += box(graph_.nodes[i], places_[i]);
    return text + "</svg>\n";
  }

private:
  struct Place {
    std::size_t column = 0;
    std::size_t row = 0;
  };

  static int left(std::size_t column) {
    return 2 * margin + static_cast<int>(column) * (box_width + column_gap);
  }
  static int top(std::size_t row) {
    return margin + head_height + static_cast<int>(row) * (box_height + row_gap);
  }

  static std::string path(const std::string& steps) {
    return "<path class=\"edge\" marker-end=\"url(#arrow)\" d=\"" + steps + "\"/>\n";
  }

  static std::string point(int x, int y) { return std::to_string(x) + " " + std::to_string(y); }

  static std::string edge(const Place& from, const Place& to) {
    const int bottom = top(from.row) + box_height;
    const int middle = box_width / 2;
    if (from.column == to.column && from.row + 1 == to.row) {
      return path("M" + point(left(from.column) + middle, bottom) + "L" +
                  point(left(to.column) + middle, top(to.row)));
    }
    if (from.column == to.column) {
      // Around the boxes between them.
      const int x = left(from.column) + box_width;
      const int begin = top(from.row) + box_height / 2;
      const int end = top(to.row) + box_height / 2;
      return path("M" + point(x, begin) + "C" + point(x + 28, begin + 20) + " " + point(x + 28, end - 20) +
                  " " + point(x, end));
    }
    const bool to_right = from.column < to.column;
    const int way = to_right ? 1 : -1;
    const int begin_x = left(from.column) + (to_right ? box_width : 0);
    const int begin_y = top(from.row) + box_height / 2;
    const int end_x = left(to.column) + (to_right ? 0 : box_width);
    const int end_y = top(to.row) + box_height / 2;
    if (from.column + 1 == to.column || to.column + 1 == from.column) {
      const int bend = way * column_gap;
      return path("M" + point(begin_x, begin_y) + "C" + point(begin_x + bend, begin_y) + " " +
                  point(end_x - bend, end_y) + " " + point(end_x, end_y));
    }
    // Past the columns between them in the room above the row of its end, where no box is. Lines of several
    // begins lie beside one another.
    const int lane = static_cast<int>((from.column + from.row) % 4);
    const int out = begin_x + way * (16 + 6 * lane);
    const int in = end_x - way * (16 + 6 * lane);
    const int above = top(to.row) - row_gap / 2 + 4 * lane - 6;
    return path(rounded(
        {{begin_x, begin_y}, {out, begin_y}, {out, above}, {in, above}, {in, end_y}, {end_x, end_y}}));
  }

  // A line along these points with round corners.
  static std::string rounded(const std::vector<std::pair<int, int>>& points) {
    std::string steps = "M" + point(points.front().first, points.front().second);
    const auto towards = [](int from, int to, int most) { return from + std::clamp(to - from, -most, most); };
    for (std::size_t i = 1; i + 1 < points.size(); ++i) {
      const int x = points[i].first;
      const int y = points[i].second;
      const auto radius = [&](std::size_t other) {
        return (std::abs(points[other].first - x) + std::abs(points[other].second - y)) / 2;
      };
      const int most = std::min({8, radius(i - 1), radius(i + 1)});
      steps += "L" + point(towards(x, points[i - 1].first, most), towards(y, points[i - 1].second, most)) +
               "Q" + point(x, y) + " " +
               point(towards(x, points[i + 1].first, most), towards(y, points[i + 1].second, most));
    }
    return steps + "L" + point(points.back().first, points.back().second);
  }

  static std::string box(const GraphNode& node, const Place& place) {
    const int x = left(place.column);
    const int y = top(place.row);
    std::string full = node.name;
    for (const auto& note : node.notes)
      full += "\n" + note;
    return "<g class=\"" + std::string(class_of(node.outcome)) + "\"><title>" + escaped(full) +
           "</title><rect class=\"box\" rx=\"6\"" + attribute("x", x) + attribute("y", y) +
           attribute("width", box_width) + attribute("height", box_height) + "/><text class=\"text\"" +
           attribute("x", x + 10) + attribute("y", y + 18) + ">" + escaped(short_text(node.text)) +
           "</text><text class=\"state\"" + attribute("x", x + 10) + attribute("y", y + 35) + ">" +
           escaped(node.outcome_text()) + "</text></g>\n";
  }

  const Graph& graph_;
  std::map<std::string, std::size_t> columns_;
  std::vector<std::string> stages_;
  std::vector<Place> places_;
  std::size_t rows_ = 0;
};

std::string table_of(const Graph& graph) {
  std::vector<const GraphNode*> all;
  for (const auto* list : {&graph.nodes, &graph.others}) {
    for (const auto& node : *list) {
      if (node.time.count() > 0) all.push_back(&node);
    }
  }
  if (all.empty()) return {};
  std::stable_sort(all.begin(), all.end(),
                   [](const GraphNode* a, const GraphNode* b) { return a->time > b->time; });
  const auto most = all.front()->time;
  std::string text = "<h2>What took the time</h2>\n<table>\n";
  for (std::size_t i = 0; i < std::min(all.size(), most_bars); ++i) {
    text += "<tr><td class=\"time\">" + shown_time(all[i]->time) +
            "</td><td class=\"bar\"><div style=\"width:" + util::fixed(100 * all[i]->time / most, 1) +
            "%\"></div></td><td class=\"name\">" + escaped(all[i]->name) + "</td></tr>\n";
  }
  return text + "</table>\n";
}

}  // namespace

std::string short_text(std::string_view text) {
  std::string rest(text);
  for (;;) {
    const auto blank = rest.find(" --");
    if (blank == std::string::npos || blank > rest.find(' ')) break;
    const auto end = rest.find(' ', blank + 1);
    if (end == std::string::npos) break;
    // Where a file comes from is worth its room.
    if (rest.compare(blank, 8, " --from=") == 0) break;
    rest.erase(blank, end - blank);
  }
  return shortened(rest, most_characters);
}

std::string to_html(const Graph& graph) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'\">\n"
         "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Build</title>\n<style>" +
         std::string(style) + "</style>\n</head>\n<body>\n<h1>Build</h1>\n<p>" + escaped(graph.summary) +
         "</p>\n<div class=\"graph\">\n" + Picture(graph).svg() + "</div>\n" + table_of(graph) +
         "</body>\n</html>\n";
}

}  // namespace display
