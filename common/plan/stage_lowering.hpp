// Lowering of one stage: its instructions become ops, config and history.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/dockerfile/budget.hpp"
#include "common/dockerfile/evaluate.hpp"
#include "common/plan/graph.hpp"

namespace plan {

// A stage at its start or end.
struct StageResult {
  OpId filesystem = 0;
  std::optional<OpId> base;           // the Pull that its layers begin with
  std::vector<HistoryEntry> history;  // its own alone, without its parent's
  std::uint64_t config_size = 0;      // bytes that its image's config has at least, with all history
  ImageConfig config;                 // but for "Env", which `state` has
  dockerfile::StageState state;
  image::Platform platform;
  std::string directory = {};  // where `filesystem` is a Local, on which nothing can go: its name
  bool cmd_set = false;        // by this stage itself: ENTRYPOINT clears an inherited CMD alone
};

// What a stage needs of the rest of the plan.
struct Surroundings {
  std::function<OpId(Op)> add;                                     // puts an op into the graph, once
  std::function<OpId()> context;                                   // the build context
  std::function<OpId(const std::string& from)> copy_from;          // what COPY --from names
  std::function<OpId(const std::string& from)> mount_from;         // what RUN --mount=from names
  std::function<OpId(const dockerfile::InlineFile&)> inline_file;  // one op for all files that are alike
  // "[name 2/4] text", counting up
  std::function<std::string(const dockerfile::Environment&, const std::string& text)> title;
  dockerfile::Budget& budget;   // of what the plan may hold
  const std::string& hostname;  // of Inputs, both
  const std::string& cache_namespace;
};

// Carries `stage` through one instruction, expanded by `evaluator`; its `state` stays as it is. Throws
// dockerfile::SyntaxError or util::Error.
void lower_step(const dockerfile::Step& step, const dockerfile::StageState& state,
                const Surroundings& surroundings, bool no_cache, StageResult& stage);

// True for instructions that become an op: what titles count.
bool makes_op(const dockerfile::Instruction& instruction);

}  // namespace plan
