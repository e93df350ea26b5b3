// Build progress in the plain format that people know from BuildKit: "#5 [build 2/4] RUN make", "#5 0.312 gcc
// ...",
// "#5 CACHED", "#5 DONE 1.2s".
#pragma once

#include <chrono>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

namespace engine {

// Everything printed goes to stderr whole lines at a time; what steps print is passed on unclipped.
// Thread-safe.
class Progress {
public:
  // One numbered piece of work. Outlived by its Progress. Ends by done(), cached() or failed(); without any
  // of them it ends silently, as work that was stopped.
  class Vertex {
  public:
    Vertex(Progress& progress, std::string title);

    // Shows the title: the work begins.
    void start();

    // Output of the work, as it comes; a line is printed once it is whole.
    void write(std::string_view text);

    void done();
    void cached();
    // Also repeats the last lines of the output, for who looks at the end of the log alone.
    void failed(std::string_view reason);

  private:
    void print_line(std::string_view line);
    double seconds() const;
    void flush_rest();

    Progress& progress_;
    std::string title_;
    int number_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::string rest_;              // of a line that is not whole yet
    std::deque<std::string> last_;  // lines, for failed()
  };

private:
  // Shows `text` as a line of vertex `number`; the title comes first whenever another vertex had the word
  // before.
  void print(int number, const std::string& title, const std::string& text);

  std::mutex mutex_;
  int count_ = 0;
  int current_ = 0;  // the vertex that printed last
};

}  // namespace engine
