// The stages of a build: tools run one after another as processes of their own, each with its time taken.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/process.hpp"

namespace oci_build {

// What main() of `tool` would call, if it is a part of this program; else null.
sys::Entry entry_of(std::string_view tool);

// One tool's share of the build. A tool that runs once per image has one Stage for all its runs.
struct Stage {
  std::string tool;
  std::chrono::milliseconds duration;
};

class Pipeline {
public:
  // Runs `tool` to its end with `input` on its stdin and our stderr; returns what it printed. oci-solve, and
  // any other name, is a program beside this one or on PATH; the rest are parts of this one, called in a
  // process of their own as their main() would be. Passes -v on where debug messages are shown. Throws
  // util::Error that names the tool, with its exit code (128 + n if signal n killed it); when we are
  // cancelled, the tool is stopped first.
  std::string run(const std::string& tool, const std::vector<std::string>& arguments,
                  std::string_view input = {});

  // In the order in which they first ran.
  const std::vector<Stage>& stages() const noexcept { return stages_; }

private:
  std::vector<Stage> stages_;
};

}  // namespace oci_build
