// The plain progress printer.
#include "common/engine/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "common/util/text.hpp"

namespace engine {
namespace {

constexpr std::size_t remembered_lines = 20;
constexpr std::size_t longest_remembered = 64 << 10;  // of one line
constexpr std::size_t kept_of_longer = 1 << 10;
constexpr std::size_t most_held = 1 << 20;  // by one vertex that waits for the word
constexpr auto between_transfer_lines = std::chrono::seconds(5);

std::string fixed(double value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

// Whoever reads may go away: that is no reason to stop building.
void write_to_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

Progress::Options with_output(Progress::Options options) {
  if (!options.write) options.write = write_to_stderr;
  return options;
}

// The time that a line begins with, and its last characters.
std::string end_of_line(const std::string& line) {
  auto begin = line.size() - kept_of_longer;
  while (begin < line.size() && (static_cast<unsigned char>(line[begin]) & 0xC0) == 0x80)
    ++begin;  // not in the middle of a character
  return line.substr(0, line.find(' ') + 1) + "..." + line.substr(begin);
}

std::size_t size_of(const std::vector<std::string>& lines) {
  std::size_t size = 0;
  for (const auto& line : lines)
    size += line.size();
  return size;
}

}  // namespace

std::string decimal_size(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> units = {"B", "kB", "MB", "GB", "TB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1000 && unit + 1 < units.size(); ++unit)
    size /= 1000;
  return fixed(size, unit == 0 ? 0 : 2) + units[unit];
}

std::string shown_time(std::chrono::duration<double> time) {
  return fixed(time.count(), 1) + "s";
}

Progress::Progress() : Progress(Options{}) {}

Progress::Progress(Options options) : options_(with_output(std::move(options))) {}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  turns_.wait();
  if (failure_) options_.write("------\n" + *failure_ + "------\n");
}

void Progress::tell(Vertex& vertex, Urgency urgency) {
  if (current_ == nullptr || current_ == &vertex || urgency == Urgency::at_once) {
    show(vertex);
  } else if (!vertex.waiting_since_) {
    vertex.waiting_since_ = Clock::now();
    waiting_.push_back(&vertex);
    if (!turns_.joinable()) {
      turns_ = sys::Thread([this] { take_turns(); });
    } else {
      changed_.notify_all();
    }
  }
  show_overdue();
}

void Progress::show(Vertex& vertex) {
  std::string text;
  if (current_ != &vertex) {
    if (current_ != nullptr) {
      if (current_->partial_shown_ > 0) text += '\n';
      current_->partial_shown_ = 0;  // it is repeated from its beginning
      text += "#" + std::to_string(current_->number_) + " ...\n";
    }
    if (count_ > 0) text += '\n';
    if (vertex.number_ == 0) vertex.number_ = ++count_;
    text += "#" + std::to_string(vertex.number_) + " " + vertex.title_ + "\n";
    current_ = &vertex;
  }
  const std::string tag = "#" + std::to_string(vertex.number_) + " ";
  const auto show_line = [&](const std::string& line) {
    text += vertex.partial_shown_ > 0 ? line.substr(vertex.partial_shown_) : tag + line;
    vertex.partial_shown_ = 0;
  };
  for (const auto& line : vertex.lines_) {
    show_line(line);
    text += '\n';
  }
  vertex.lines_.clear();
  if (!vertex.partial_.empty()) {
    show_line(vertex.partial_);
    vertex.partial_shown_ = vertex.partial_.size();
  }
  if (vertex.waiting_since_) {
    vertex.waiting_since_.reset();
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &vertex));
  }
  if (vertex.ended_) current_ = nullptr;
  if (!text.empty()) options_.write(text);
}

void Progress::show_overdue() {
  while (!waiting_.empty() &&
         (current_ == nullptr || Clock::now() - *waiting_.front()->waiting_since_ >= options_.patience)) {
    show(*waiting_.front());
  }
}

void Progress::take_turns() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (waiting_.empty()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, *waiting_.front()->waiting_since_ + options_.patience);
      show_overdue();
    }
  }
}

Progress::Vertex::Vertex(Progress& progress, std::string_view title)
    : progress_(progress), title_(util::for_terminal(title)) {}

Progress::Vertex::~Vertex() {
  const std::lock_guard lock(progress_.mutex_);
  if ((begin_ || waiting_since_ || number_ > 0) && !ended_) end("CANCELED");
  if (waiting_since_) progress_.tell(*this, Urgency::at_once);
}

void Progress::Vertex::start() {
  const std::lock_guard lock(progress_.mutex_);
  begin_ = Clock::now();
  progress_.tell(*this, Urgency::can_wait);
}

double Progress::Vertex::seconds() const {
  return begin_ ? std::chrono::duration<double>(Clock::now() - *begin_).count() : 0;
}

void Progress::Vertex::write(std::string_view text) {
  if (text.empty()) return;
  const std::lock_guard lock(progress_.mutex_);
  while (!text.empty()) {
    // "\r\n" is one end of a line, not two.
    if (after_return_ && text.front() == '\n') text.remove_prefix(1);
    after_return_ = false;
    const auto end = text.find_first_of("\r\n");
    if (end != 0 && !text.empty() && partial_.empty()) partial_ = fixed(seconds(), 3) + " ";
    auto piece = text.substr(0, end);
    // A line that grows too long is shown at once, and only its end is kept: a step may never end its lines.
    while (partial_.size() + piece.size() > longest_remembered) {
      const auto count = longest_remembered - std::min(partial_.size(), longest_remembered);
      partial_ += piece.substr(0, count);
      piece.remove_prefix(count);
      progress_.tell(*this, Urgency::at_once);
      partial_ = end_of_line(partial_);
      if (partial_shown_ > 0) partial_shown_ = partial_.size();  // 0: others have the word again
    }
    partial_ += piece;
    if (end == std::string_view::npos) break;
    after_return_ = text[end] == '\r';
    finish_line();
    text.remove_prefix(end + 1);
  }
  progress_.tell(*this, size_of(lines_) > most_held ? Urgency::at_once : Urgency::can_wait);
}

void Progress::Vertex::finish_line() {
  if (partial_.empty()) partial_ = fixed(seconds(), 3) + " ";
  last_.push_back(partial_);
  if (last_.size() > remembered_lines) last_.pop_front();
  lines_.push_back(std::exchange(partial_, {}));
}

void Progress::Vertex::note(std::string_view line) {
  const std::lock_guard lock(progress_.mutex_);
  if (!partial_.empty()) finish_line();
  lines_.push_back(util::for_terminal(line));
  progress_.tell(*this, Urgency::can_wait);
}

void Progress::Vertex::warn(std::string_view warning) {
  note("WARN: " + std::string(warning));
}

void Progress::Vertex::transfer(const std::string& id, std::uint64_t current, std::uint64_t total) {
  std::string line;
  {
    const std::lock_guard lock(progress_.mutex_);
    const auto now = Clock::now();
    auto& transfer = transfers_.try_emplace(id, Transfer{.start = now, .shown = now}).first->second;
    const bool complete = total > 0 && current >= total;
    if (transfer.complete || (!complete && now - transfer.shown < between_transfer_lines)) return;
    transfer.shown = now;
    transfer.complete = complete;
    line = id + " " + decimal_size(current) + (total > 0 ? " / " + decimal_size(total) : "") + " " +
           shown_time(now - transfer.start) + (complete ? " done" : "");
  }
  note(line);
}

void Progress::Vertex::end(std::string_view word) {
  if (!partial_.empty()) finish_line();
  lines_.emplace_back(word);
  ended_ = true;
  progress_.tell(*this, Urgency::at_once);
}

std::string Progress::Vertex::tag() const {
  const std::lock_guard lock(progress_.mutex_);
  return number_ > 0 ? "#" + std::to_string(number_) : std::string();
}

void Progress::Vertex::done() {
  const std::lock_guard lock(progress_.mutex_);
  end("DONE " + shown_time(std::chrono::duration<double>(seconds())));
}

void Progress::Vertex::cached() {
  const std::lock_guard lock(progress_.mutex_);
  end("CACHED");
}

void Progress::Vertex::failed(std::string_view reason) {
  const std::lock_guard lock(progress_.mutex_);
  end("ERROR: " + util::for_terminal(reason));
  if (progress_.failure_) return;
  std::string block = " > " + title_ + ":\n";
  for (const auto& line : last_)
    block += line + "\n";
  progress_.failure_ = std::move(block);
}

}  // namespace engine
