// Progress of the native engine: told to a screen, and where that is a plain one written in the format that
// people know from BuildKit: "#5 [build 2/4] RUN make", "#5 0.312 gcc ...", "#5 CACHED", "#5 DONE 1.2s".
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/display/screen.hpp"
#include "common/sys/thread.hpp"

namespace engine {

using display::decimal_size;
using display::shown_time;

// Work that goes on at the same time takes turns: one vertex has the word until it ends, or until others have
// waited too long for it. Nothing is left out or cut. Thread-safe; outlives its vertices.
class Progress {
public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    // Takes all that is shown; whole lines, except where a step has left one unfinished. Nothing: stderr.
    std::function<void(std::string_view)> write;
    // Is told everything, too, and outlives the progress. Unless its mode is plain, nothing is written here.
    display::Screen* screen = nullptr;
    // How long others wait while one vertex has the word.
    std::chrono::milliseconds patience = std::chrono::seconds(1);
  };

  Progress();
  explicit Progress(Options options);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // Repeats the last lines of the step that failed, for who looks at the end of the log alone.
  ~Progress();

  // What a vertex is in the graph of a build.
  struct Place {
    std::string digest;  // empty: one is made up
    std::vector<std::string> inputs;
  };
  // Tells a screen of work that may come.
  void announce(std::string_view title, const Place& place);

  // One numbered piece of work. Numbers are given in the order in which work is first shown. It ends by
  // done(), cached() or failed(); destroyed without any of them it was cancelled.
  class Vertex {
  public:
    // `title` is one line. It, notes and reasons come from Dockerfiles and registries, too: what a terminal
    // would obey in them is shown in hex. Output of the work is passed on as it is.
    Vertex(Progress& progress, std::string_view title, Place place = {});
    Vertex(const Vertex&) = delete;
    Vertex& operator=(const Vertex&) = delete;
    ~Vertex();

    // The work begins.
    void start();

    // Output of the work, as it comes, each line with the seconds since the start. An unfinished line is
    // shown as far as it goes. A carriage return ends a line as a line feed does: bars that overwrite
    // themselves stay readable.
    void write(std::string_view text);

    // Words about the work: "transferring context: 2B". They may follow its end.
    void note(std::string_view line);
    void warn(std::string_view warning);

    // How far the transfer of `id` is, shown now and then and when it is complete; a total of 0 is unknown.
    void transfer(const std::string& id, std::uint64_t current, std::uint64_t total);

    // What it is called: "#7", empty until it is shown; its title where a screen shows no numbers.
    std::string tag() const;

    void done();
    void cached();
    void failed(std::string_view reason);

  private:
    friend class Progress;

    struct Transfer {
      Clock::time_point start;
      display::Time begin;  // the same
      Clock::time_point shown;
      Clock::time_point told = {};
      bool complete = false;
    };

    bool is_plain() const noexcept;
    // To the screen, if there is one.
    void report(display::Update update);
    void report_end();
    // Called with the mutex held, as those above and below.
    void show_note(std::string_view line);
    void finish_line();
    void end(std::string_view word);
    double seconds() const;

    // All guarded by the progress's mutex.
    Progress& progress_;
    const std::string title_;
    display::Vertex told_;  // as a screen knows it; without a digest if there is no screen
    int number_ = 0;        // 0 until it is shown
    std::optional<Clock::time_point> begin_;
    std::optional<Clock::time_point> waiting_since_;
    std::vector<std::string> lines_;  // whole ones, not shown yet, without the number
    std::string partial_;             // of a line that is not whole yet
    std::size_t partial_shown_ = 0;   // how much of the first line to come is on the screen
    std::deque<std::string> last_;    // lines of output, for the end
    std::map<std::string, Transfer> transfers_;
    bool after_return_ = false;
    bool ended_ = false;
  };

private:
  enum class Urgency { can_wait, at_once };

  // These are called with mutex_ held.
  void tell(Vertex& vertex, Urgency urgency);
  void show(Vertex& vertex);
  void show_overdue();
  void take_turns();  // what the thread does

  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  sys::Thread turns_;  // started when work first has to wait
  bool stopped_ = false;
  int count_ = 0;
  int made_up_ = 0;                     // digests
  Vertex* current_ = nullptr;           // has the word
  std::deque<Vertex*> waiting_;         // has something to say, longest wait first
  std::optional<std::string> failure_;  // the first one's title and last lines
};

}  // namespace engine
