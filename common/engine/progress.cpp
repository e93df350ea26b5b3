// The plain progress printer.
#include "common/engine/progress.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>

#include "common/util/text.hpp"

namespace engine {
namespace {

constexpr std::size_t remembered_lines = 20;

std::string fixed(double seconds, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, seconds);
  return text.data();
}

void write_to_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

void Progress::print(int number, const std::string& title, const std::string& text) {
  const std::lock_guard lock(mutex_);
  const std::string tag = "#" + std::to_string(number) + " ";
  std::string lines;
  if (current_ != number) {
    lines = (current_ == 0 ? "" : "\n") + tag + title + "\n";
    current_ = number;
  }
  if (!text.empty()) lines += tag + text + "\n";
  write_to_stderr(lines);
}

Progress::Vertex::Vertex(Progress& progress, std::string title)
    : progress_(progress), title_(std::move(title)) {
  const std::lock_guard lock(progress_.mutex_);
  number_ = ++progress_.count_;
}

void Progress::Vertex::start() {
  progress_.print(number_, title_, "");
}

double Progress::Vertex::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

void Progress::Vertex::write(std::string_view text) {
  for (;;) {
    const auto end = text.find('\n');
    rest_ += text.substr(0, end);
    if (end == std::string_view::npos) return;
    flush_rest();
    text.remove_prefix(end + 1);
  }
}

void Progress::Vertex::flush_rest() {
  print_line(rest_);
  rest_.clear();
}

void Progress::Vertex::print_line(std::string_view line) {
  std::string shown = fixed(seconds(), 3) + " " + std::string(line);
  progress_.print(number_, title_, shown);
  last_.push_back(std::move(shown));
  if (last_.size() > remembered_lines) last_.pop_front();
}

void Progress::Vertex::done() {
  if (!rest_.empty()) flush_rest();
  progress_.print(number_, title_, "DONE " + fixed(seconds(), 1) + "s");
}

void Progress::Vertex::cached() {
  progress_.print(number_, title_, "CACHED");
}

void Progress::Vertex::failed(std::string_view reason) {
  if (!rest_.empty()) flush_rest();
  progress_.print(number_, title_, "ERROR: " + std::string(reason));
  const std::lock_guard lock(progress_.mutex_);
  std::string block = "------\n > " + title_ + ":\n";
  for (const auto& line : last_)
    block += line + "\n";
  write_to_stderr(block + "------\n");
}

}  // namespace engine
