// What the native engine tells a screen, and the plain progress printer.
#include "common/engine/progress.hpp"

#include <algorithm>
#include <utility>

#include "common/hash/sha256.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace engine {
namespace {

constexpr std::size_t remembered_lines = 20;
constexpr std::size_t longest_remembered = 64 << 10;  // of one line
constexpr std::size_t kept_of_longer = 1 << 10;
constexpr std::size_t most_held = 1 << 20;  // by one vertex that waits for the word
constexpr auto between_transfer_reports = std::chrono::milliseconds(100);
constexpr auto between_transfer_lines = std::chrono::seconds(5);

Progress::Options with_output(Progress::Options options) {
  if (!options.write) options.write = util::log::write_to_stderr;
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

Progress::Progress() : Progress(Options{}) {}

Progress::Progress(Options options) : options_(with_output(std::move(options))) {
  if (options_.screen != nullptr) options_.screen->begin();
}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  turns_.wait();
  if (failure_) options_.write("------\n" + *failure_ + "------\n");
  if (options_.screen != nullptr) options_.screen->end();
}

void Progress::announce(std::string_view title, const Place& place) {
  if (options_.screen == nullptr) return;
  options_.screen->apply(
      {.vertexes = {{.digest = place.digest, .inputs = place.inputs, .name = std::string(title)}}});
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

Progress::Vertex::Vertex(Progress& progress, std::string_view title, Place place)
    : progress_(progress), title_(util::for_terminal(title)) {
  if (progress_.options_.screen == nullptr) return;
  told_ = {.digest = std::move(place.digest), .inputs = std::move(place.inputs), .name = std::string(title)};
  if (!told_.digest.empty()) return;
  const std::lock_guard lock(progress_.mutex_);
  told_.digest = hash::sha256(std::to_string(++progress_.made_up_) + " " + told_.name).str();
}

Progress::Vertex::~Vertex() {
  const std::lock_guard lock(progress_.mutex_);
  if (begin_ && !ended_ && !told_.digest.empty()) {
    told_.error = "context canceled";
    report_end();
  }
  if (!is_plain()) return;
  if ((begin_ || waiting_since_ || number_ > 0) && !ended_) end("CANCELED");
  if (waiting_since_) progress_.tell(*this, Urgency::at_once);
}

bool Progress::Vertex::is_plain() const noexcept {
  return progress_.options_.screen == nullptr || progress_.options_.screen->mode() == display::Mode::plain;
}

void Progress::Vertex::report(display::Update update) {
  if (progress_.options_.screen != nullptr) progress_.options_.screen->apply(update);
}

void Progress::Vertex::report_end() {
  if (told_.digest.empty()) return;
  told_.completed = std::chrono::system_clock::now();
  if (!told_.started) told_.started = told_.completed;
  report({.vertexes = {told_}});
}

void Progress::Vertex::start() {
  const std::lock_guard lock(progress_.mutex_);
  begin_ = Clock::now();
  told_.started = std::chrono::system_clock::now();
  report({.vertexes = {told_}});
  if (is_plain()) progress_.tell(*this, Urgency::can_wait);
}

double Progress::Vertex::seconds() const {
  return begin_ ? std::chrono::duration<double>(Clock::now() - *begin_).count() : 0;
}

void Progress::Vertex::write(std::string_view text) {
  if (text.empty()) return;
  const std::lock_guard lock(progress_.mutex_);
  if (!is_plain()) {
    return report({.logs = {{.vertex = told_.digest,
                             .data = std::string(text),
                             .timestamp = std::chrono::system_clock::now()}}});
  }
  while (!text.empty()) {
    // "\r\n" is one end of a line, not two.
    if (after_return_ && text.front() == '\n') text.remove_prefix(1);
    after_return_ = false;
    const auto end = text.find_first_of("\r\n");
    if (end != 0 && !text.empty() && partial_.empty()) partial_ = util::fixed(seconds(), 3) + " ";
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
  if (partial_.empty()) partial_ = util::fixed(seconds(), 3) + " ";
  last_.push_back(partial_);
  if (last_.size() > remembered_lines) last_.pop_front();
  lines_.push_back(std::exchange(partial_, {}));
}

void Progress::Vertex::note(std::string_view line) {
  const std::lock_guard lock(progress_.mutex_);
  const auto now = std::chrono::system_clock::now();
  constexpr std::string_view end = " done";  // which a screen says in its own way
  report(
      {.statuses = {{.id = std::string(line.substr(0, line.size() - (line.ends_with(end) ? end.size() : 0))),
                     .vertex = told_.digest,
                     .started = now,
                     .completed = now}}});
  show_note(line);
}

void Progress::Vertex::show_note(std::string_view line) {
  if (!is_plain()) return;
  if (!partial_.empty()) finish_line();
  lines_.push_back(util::for_terminal(line));
  progress_.tell(*this, Urgency::can_wait);
}

void Progress::Vertex::warn(std::string_view warning) {
  const std::lock_guard lock(progress_.mutex_);
  report({.warnings = {{.vertex = told_.digest, .text = std::string(warning)}}});
  show_note("WARN: " + std::string(warning));
}

void Progress::Vertex::transfer(const std::string& id, std::uint64_t current, std::uint64_t total) {
  const std::lock_guard lock(progress_.mutex_);
  const auto now = Clock::now();
  auto& transfer =
      transfers_
          .try_emplace(id, Transfer{.start = now, .begin = std::chrono::system_clock::now(), .shown = now})
          .first->second;
  const bool complete = total > 0 && current >= total;
  if (transfer.complete) return;
  if (complete || now - transfer.told >= between_transfer_reports) {
    transfer.told = now;
    display::Status status{
        .id = id, .vertex = told_.digest, .current = current, .total = total, .started = transfer.begin};
    if (complete) status.completed = std::chrono::system_clock::now();
    report({.statuses = {std::move(status)}});
  }
  if (!complete && now - transfer.shown < between_transfer_lines) return;
  transfer.shown = now;
  transfer.complete = complete;
  show_note(id + " " + decimal_size(current) + (total > 0 ? " / " + decimal_size(total) : "") + " " +
            shown_time(now - transfer.start) + (complete ? " done" : ""));
}

void Progress::Vertex::end(std::string_view word) {
  ended_ = true;
  if (!is_plain()) return;
  if (!partial_.empty()) finish_line();
  lines_.emplace_back(word);
  progress_.tell(*this, Urgency::at_once);
}

std::string Progress::Vertex::tag() const {
  const std::lock_guard lock(progress_.mutex_);
  if (!is_plain()) return title_;
  return number_ > 0 ? "#" + std::to_string(number_) : std::string();
}

void Progress::Vertex::done() {
  const std::lock_guard lock(progress_.mutex_);
  report_end();
  end("DONE " + shown_time(std::chrono::duration<double>(seconds())));
}

void Progress::Vertex::cached() {
  const std::lock_guard lock(progress_.mutex_);
  told_.cached = true;
  report_end();
  end("CACHED");
}

void Progress::Vertex::failed(std::string_view reason) {
  const std::lock_guard lock(progress_.mutex_);
  told_.error = reason;
  report_end();
  end("ERROR: " + util::for_terminal(reason));
  if (progress_.failure_ || !is_plain()) return;
  std::string block = " > " + title_ + ":\n";
  for (const auto& line : last_)
    block += line + "\n";
  progress_.failure_ = std::move(block);
}

}  // namespace engine
