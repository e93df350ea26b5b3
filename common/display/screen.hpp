// What a build is shown on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/display/board.hpp"
#include "common/display/layout.hpp"
#include "common/document/request.hpp"
#include "common/sys/thread.hpp"
#include "common/util/log.hpp"

namespace display {

enum class Mode {
  plain,    // lines, which whoever builds writes himself
  tty,      // a live view
  quiet,    // nothing but what the step that failed has said
  rawjson,  // a line of JSON for each update
};

// How stderr is to be used. Of `automatic` a live view comes where it is a terminal that somebody looks at:
// one with a TERM that is not "dumb", and of another size than the 500 by 500 which Concourse gives to tasks,
// whose output goes to a web page. Throws util::Error if a live view is asked for and stderr is no terminal.
Mode mode_of(document::ProgressChoice choice);

// Of stderr, 80 by 24 if nobody knows.
Size terminal_size() noexcept;

// A build has one, and shows parts of itself on it, one after another: what BuildKit does for each target,
// each attempt of the native engine. Thread-safe but for begin() and end().
class Screen {
public:
  struct Options {
    Mode mode = Mode::plain;
    Colours colours = {};
    // Nothing: stderr.
    std::function<void(std::string_view)> write = {};
    std::function<Size()> size = terminal_size;
    std::chrono::milliseconds between_frames = std::chrono::milliseconds(100);
  };

  explicit Screen(Options options);
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() { end(); }

  Mode mode() const noexcept { return options_.mode; }

  // A part begins. Log messages stand above the live view until it ends.
  void begin();
  void apply(const Update& update);
  // A line of JSON as buildctl writes it, which is passed on as it is.
  void apply_json(std::string_view line);
  // The part is over: all of it stays on the terminal, and what the step that failed has said is below.
  // Nothing if none had begun.
  void end();

  // What was shown so far was for nothing: the build begins anew.
  void forget();

  // The parts that have ended. Not while one goes on.
  const std::deque<Board>& parts() const noexcept { return parts_; }
  std::deque<Board>& parts() noexcept { return parts_; }

private:
  // The cursor stands in the line below what was drawn.
  struct Drawn {
    std::vector<std::size_t> widths;
    std::size_t columns = 0;
  };

  void take(const Update& update, std::string_view json);
  void draw_now_and_then();
  // What stands above it from now on comes first.
  void draw(std::string_view above, Extent extent);
  std::string back_to_top(Size size) const;
  std::string last_words_of(const Work& failed) const;

  const Options options_;
  std::mutex writing_;  // of who draws; taken before mutex_
  Drawn drawn_;         // guarded by writing_
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = true;  // this and parts_ are guarded by mutex_
  std::deque<Board> parts_;
  sys::Thread thread_;
  std::unique_ptr<util::log::Diversion> diversion_;
};

}  // namespace display
