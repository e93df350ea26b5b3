// What is known of a build: every piece of its work, put together from what was told.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/display/update.hpp"

namespace display {

// The last lines of a step's output, ready for a terminal. What stands on a line behind a carriage return
// takes the place of what was before it. However long the lines are, what is kept of them is not.
class LastLines {
public:
  static constexpr std::size_t most = 20;

  // `seconds` since the step began.
  void add(std::string_view data, double seconds);

  struct Line {
    double seconds = 0;
    std::string text;
  };
  // In their order, the unfinished one with them.
  std::vector<Line> lines() const;

private:
  void append(std::string_view piece, double seconds);
  void finish();

  std::deque<Line> whole_;
  Line partial_;
  bool returned_ = false;
};

struct Work {
  std::string digest;
  std::vector<std::string> inputs = {};
  std::string name = {};  // printable
  std::optional<Time> started = {};
  std::optional<Time> completed = {};
  std::chrono::duration<double> before = {};  // what it took before it was begun anew
  Time heard = {};                            // when its start was heard of, by the clock of this machine
  bool cached = false;
  bool canceled = false;
  std::string error = {};     // printable
  std::string forecast = {};  // what a plan says of it; empty = none
  std::vector<Status> statuses = {};
  std::vector<std::string> warnings = {};  // printable
  LastLines output = {};

  bool is_running() const { return started && !completed; }
  // What it has taken until `now`, by the clock of this machine.
  std::chrono::duration<double> duration(Time now) const;
};

// Not thread-safe.
class Board {
public:
  enum class Output { kept, left_out };
  // Whether the lines of steps are wanted.
  explicit Board(Output output = Output::kept) : output_(output) {}

  void apply(const Update& update, Time now);

  // Nothing more will be told: what runs still was canceled.
  void end(Time now);

  // In the order in which it began; what was told of only stands behind.
  std::vector<const Work*> work() const;
  const Work* find(const std::string& digest) const;
  Work& at(const std::string& digest);

  // The first of those that failed.
  const Work* failure() const;
  std::optional<Time> begin() const { return begin_; }
  std::optional<Time> end() const { return end_; }
  // What came of layers of images from registries.
  std::uint64_t pulled_bytes() const;

private:
  void apply(const Vertex& vertex, Time now);
  void apply(const Status& status);

  const Output output_;
  std::deque<Work> all_;  // in the order in which it was first told of
  std::map<std::string, std::size_t> by_digest_;
  std::vector<std::size_t> begun_;
  std::optional<std::size_t> failure_;
  std::optional<Time> begin_;
  std::optional<Time> end_;
};

}  // namespace display
