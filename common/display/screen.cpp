// Frames on a terminal. Each is one write that hides the cursor and shows it again: whatever ends this
// process, and whenever, the terminal is as it was.
#include "common/display/screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace display {
namespace {

// Lines that are wider than was thought are cut by the terminal and not continued on the next.
constexpr std::string_view frame_begin = "\x1b[?25l\x1b[?7l";
constexpr std::string_view frame_end = "\x1b[?7h\x1b[?25h";
constexpr std::string_view clear_rest_of_line = "\x1b[K";
constexpr std::string_view clear_below = "\x1b[J";

constexpr Size size_in_concourse{.columns = 500, .rows = 500};

bool is_looked_at() {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && kind != nullptr && *kind != '\0' &&
         std::string_view(kind) != "dumb" && terminal_size() != size_in_concourse;
}

Colours colours_of_environment() {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return {};
  const char* words = std::getenv("BUILDKIT_COLORS");
  return colours_of(words != nullptr ? words : "");
}

Screen::Options completed(Screen::Options options) {
  if (!options.write) {
    options.write = util::log::write_to_stderr;
    options.colours = colours_of_environment();
  }
  return options;
}

}  // namespace

Mode mode_of(document::ProgressChoice choice) {
  switch (choice) {
    case document::ProgressChoice::automatic:
      return is_looked_at() ? Mode::tty : Mode::plain;
    case document::ProgressChoice::plain:
      return Mode::plain;
    case document::ProgressChoice::quiet:
      return Mode::quiet;
    case document::ProgressChoice::rawjson:
      return Mode::rawjson;
    case document::ProgressChoice::tty:
      break;
  }
  if (::isatty(STDERR_FILENO) != 1)
    throw util::Error("the progress 'tty' needs a terminal as stderr; use 'auto' or 'plain'");
  return Mode::tty;
}

Size terminal_size() noexcept {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {.columns = size.ws_col, .rows = size.ws_row};
}

Screen::Screen(Options options) : options_(completed(std::move(options))) {}

void Screen::begin() {
  end();
  {
    const std::lock_guard lock(mutex_);
    parts_.emplace_back(options_.mode == Mode::plain ? Board::Output::left_out : Board::Output::kept);
    ended_ = false;
  }
  if (options_.mode != Mode::tty) return;
  drawn_ = {};
  diversion_ =
      std::make_unique<util::log::Diversion>([this](std::string_view text) { draw(text, Extent::window); });
  thread_ = sys::Thread([this] { draw_now_and_then(); });
}

void Screen::apply(const Update& update) {
  take(update, options_.mode == Mode::rawjson ? to_json(update) : std::string());
}

void Screen::apply_json(std::string_view line) {
  if (const auto update = parse_update(line)) take(*update, line);
}

void Screen::take(const Update& update, std::string_view json) {
  const auto now = std::chrono::system_clock::now();
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  parts_.back().apply(update, now);
  if (options_.mode == Mode::rawjson) options_.write(std::string(json) + "\n");
}

void Screen::end() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return;
    parts_.back().end(std::chrono::system_clock::now());
  }
  changed_.notify_all();
  thread_.wait();
  diversion_.reset();
  if (options_.mode == Mode::tty) draw("", Extent::whole);
  const auto* failed = parts_.back().failure();
  if (failed != nullptr && (options_.mode == Mode::tty || options_.mode == Mode::quiet))
    options_.write(last_words_of(*failed));
}

void Screen::forget() {
  end();
  parts_.clear();
}

void Screen::draw_now_and_then() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, options_.between_frames, [this] { return ended_; });
      if (ended_) return;
    }
    draw("", Extent::window);
  }
}

void Screen::draw(std::string_view above, Extent extent) {
  const std::lock_guard writing(writing_);
  const auto size = options_.size();
  std::vector<Line> lines;
  {
    const std::lock_guard lock(mutex_);
    lines = lay_out(parts_.back(), size, options_.colours, extent, std::chrono::system_clock::now());
  }
  std::string frame(frame_begin);
  frame += back_to_top(size);
  if (!above.empty()) frame += std::string(clear_below) + std::string(frame_end);
  for (const char c : above) {
    if (c == '\n') frame += '\r';
    frame += c;
  }
  if (!above.empty()) frame += frame_begin;
  drawn_ = {.widths = {}, .columns = size.columns};
  for (const auto& line : lines) {
    frame += line.text;
    frame += clear_rest_of_line;
    frame += "\r\n";
    drawn_.widths.push_back(line.width);
  }
  frame += clear_below;
  frame += frame_end;
  options_.write(frame);
}

// A terminal that has become narrower has broken the lines that do not fit any more.
std::string Screen::back_to_top(Size size) const {
  std::size_t rows = 0;
  for (const std::size_t width : drawn_.widths)
    rows += size.columns < drawn_.columns
                ? std::max<std::size_t>((width + size.columns - 1) / size.columns, 1)
                : 1;
  return rows == 0 ? "\r" : "\r\x1b[" + std::to_string(rows) + "A";
}

std::string Screen::last_words_of(const Work& failed) const {
  std::string text = "------\n > " + failed.name + ":\n";
  for (const auto& line : failed.output.lines()) {
    text += util::fixed(line.seconds, 3) + " " + line.text + "\n";
  }
  return text + "------\n";
}

}  // namespace display
