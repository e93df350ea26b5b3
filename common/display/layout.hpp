// The live view of a build as lines: what people know from buildx.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/display/board.hpp"

namespace display {

struct Size {
  std::size_t columns = 80;
  std::size_t rows = 24;
  friend bool operator==(const Size&, const Size&) = default;
};

// What begins each colour on a terminal ("\x1b[34m"); empty = none.
struct Colours {
  std::string run;  // what has ended
  std::string cached;
  std::string cancel;
  std::string warning;
  std::string error;
};

// Those of `words`, the value of BUILDKIT_COLORS ("run=blue:error=255,0,0"), in place of the usual ones;
// words that are none are passed over.
Colours colours_of(std::string_view words);

enum class Extent {
  window,  // what fits on the screen while work goes on
  whole,   // everything, at the end
};

struct Line {
  std::string text;       // as it is written
  std::size_t width = 0;  // in columns
};

// None is wider than one column less than the screen. A window has at most one line less than it; where there
// is more to show, running steps come first, then their output, then the steps that have ended last.
std::vector<Line> lay_out(const Board& board, Size size, const Colours& colours, Extent extent, Time now);

// "3.15MB", as BuildKit counts.
std::string decimal_size(std::uint64_t bytes);
// "0.3s", as BuildKit shows what something took.
std::string shown_time(std::chrono::duration<double> time);

}  // namespace display
