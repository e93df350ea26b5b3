// What is worth knowing of a build that is over.
#pragma once

#include <deque>
#include <string>

#include "common/display/board.hpp"

namespace display {

// "steps: 5 run, 4 cached; 28.23MB pulled; 12.3s", and below it the five parts of the build that took
// longest, with their times, of those that took a tenth of a second at least. A step that several of `parts`
// show is one; it was run if one of them ran it. Without a newline at the end.
std::string summary(const std::deque<Board>& parts);

// True for what stands in the Dockerfile, by its title: "[build 2/4] RUN make".
bool is_step(const std::string& title);

}  // namespace display
