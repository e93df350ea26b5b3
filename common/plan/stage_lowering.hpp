// Lowering of one stage: its instructions become ops, config and history.
#pragma once

#include <cstdint>
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

// What the instructions of one stage ask of the plan that they become part of.
class PlanBuilder {
public:
  virtual ~PlanBuilder() = default;

  // Puts an op into the graph, once; it stands where the instruction at hand does.
  virtual OpId add(Op op) = 0;
  // The build context.
  virtual OpId context() = 0;
  // What COPY --from and RUN --mount=from name.
  virtual OpId copy_from(const std::string& name) = 0;
  virtual OpId mount_from(const std::string& name) = 0;
  // One op for all files that are alike.
  virtual OpId inline_file(const dockerfile::InlineFile& file) = 0;
  // "[name 2/4] text", counting up.
  virtual std::string title(const dockerfile::Environment& environment, const std::string& text) = 0;
  // Of what the plan may hold.
  virtual dockerfile::Budget& budget() = 0;
  virtual const std::string& hostname() const = 0;  // of Inputs, both
  virtual const std::string& cache_namespace() const = 0;
};

// Carries `stage` through one instruction, expanded by an evaluator; `state` is the evaluator's. Throws
// dockerfile::SyntaxError or util::Error.
void lower_step(const dockerfile::Step& step, const dockerfile::StageState& state, PlanBuilder& plan,
                bool no_cache, StageResult& stage);

// True for instructions that become an op: what titles count.
bool makes_op(const dockerfile::Instruction& instruction);

}  // namespace plan
