// Pipes in front of stderr and of a screen.
#include "common/buildkit/progress.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "common/util/log.hpp"

namespace buildkit {
namespace {

// Of a line that has not ended: a step may never end its lines.
constexpr std::size_t longest_kept = 64 << 10;

}  // namespace

bool is_noise(std::string_view line) {
  // containerd's content store tries fs-verity on every layout and warns on filesystems without it.
  // And buildctl says where its trace goes, which is we.
  return line.starts_with("time=") &&
         (line.find("failed check for fsverity support") != std::string_view::npos ||
          line.find("msg=\"tracing logs to /proc/self/fd/") != std::string_view::npos);
}

// "0.239 exec /bin/sh: exec format error", runc's words. While a step runs its lines begin with "#".
bool is_unknown_program(std::string_view line) {
  const auto time = std::min(line.find_first_not_of("0123456789."), line.size());
  return time > 0 && line.substr(time).starts_with(" exec ") && line.ends_with(": exec format error\n");
}

Progress::Progress(display::Screen& screen)
    : screen_(screen), pipe_(sys::make_pipe()), trace_(sys::make_pipe()) {
  screen_.begin();
  copier_ = sys::Thread([this] { copy(); });
  follower_ = sys::Thread([this] { follow_trace(); });
}

Progress::~Progress() {
  pipe_.write_end = sys::UniqueFd();
  trace_.write_end = sys::UniqueFd();
  copier_.wait();
  follower_.wait();
  end_part();
}

void Progress::finish() {
  pipe_.write_end = sys::UniqueFd();
  trace_.write_end = sys::UniqueFd();
  if (copier_.joinable()) copier_.join();
  if (follower_.joinable()) follower_.join();
  end_part();
}

void Progress::end_part() {
  screen_.end();
  util::log::write_to_stderr(std::exchange(held_back_, {}));
  if (screen_.mode() == display::Mode::plain || screen_.parts().empty()) return;
  const auto* failed = screen_.parts().back().failure();
  if (failed == nullptr) return;
  for (const auto& line : failed->output.lines())
    met_unknown_program_ |= is_unknown_program("0.0 " + line.text + "\n");
}

void Progress::follow_trace() {
  std::array<std::byte, 65536> buffer;
  std::string pending;
  while (const std::size_t count = sys::read_some(trace_.read_end.get(), buffer, "the trace of buildctl")) {
    std::size_t begin = 0;
    auto end = pending.size();
    pending.append(reinterpret_cast<const char*>(buffer.data()), count);
    for (; (end = pending.find('\n', end)) != std::string::npos; begin = ++end)
      screen_.apply_json(std::string_view(pending).substr(begin, end - begin));
    pending.erase(0, begin);
  }
}

void Progress::copy() {
  std::array<std::byte, 65536> buffer;
  std::string pending;
  bool in_long_line = false;  // whose beginning was shown
  const auto show = [&](std::string_view line) {
    constexpr std::string_view introduction = "error: failed to solve: ";
    if (!in_long_line && line.starts_with(introduction)) {
      failure_ = line.substr(introduction.size());
      if (failure_.ends_with('\n')) failure_.pop_back();
    }
    if (!in_long_line && is_unknown_program(line)) met_unknown_program_ = true;
    if (!in_long_line && is_noise(line)) return;
    if (screen_.mode() != display::Mode::plain) {
      held_back_ += line;
      return;
    }
    util::log::write_to_stderr(line);
  };
  while (const std::size_t count = sys::read_some(pipe_.read_end.get(), buffer, "progress")) {
    pending.append(reinterpret_cast<const char*>(buffer.data()), count);
    std::size_t begin = 0;
    for (std::size_t end; (end = pending.find('\n', begin)) != std::string::npos; begin = end + 1) {
      show(std::string_view(pending).substr(begin, end + 1 - begin));
      in_long_line = false;
    }
    pending.erase(0, begin);
    if (in_long_line || pending.size() > longest_kept) {
      show(pending);
      pending.clear();
      in_long_line = true;
    }
  }
  show(pending);
}

}  // namespace buildkit
