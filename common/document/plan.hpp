// The plan: what a build of a request would do, told before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace document {

inline constexpr std::string_view plan_schema = "oci-build/plan/1";

enum class Outcome {
  cached,
  runs,
  unknown,  // before something else has run, or was looked at
};

// One step, in the order of the Dockerfile.
struct PlannedStep {
  std::string title;  // as progress shows it: "[build 2/4] RUN make"
  Outcome outcome = Outcome::cached;
  // Why it runs, in the words of a build, or what has to happen before anybody knows; nothing if it is
  // cached.
  std::optional<std::string> reason = {};
  // The step that it follows or waits for, by its place in the list: the first is 1.
  std::optional<std::uint64_t> after = {};
};

struct Plan {
  std::string engine;  // that would build
  std::vector<PlannedStep> steps = {};
};

// "CACHED", "would run: the instruction changed", "unknown until #2 has run".
std::string outcome_text(const PlannedStep& step);

// One line.
std::string to_json(const Plan& plan);

// For people: two lines for each step, "#2 [build 2/4] RUN make" and "#2 would run: the instruction changed",
// and one that counts them.
std::string to_text(const Plan& plan);

}  // namespace document
