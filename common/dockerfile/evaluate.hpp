// Walking through a stage: every instruction expanded in the environment it stands in, with its warnings and
// its history entry.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/dockerfile/budget.hpp"
#include "common/dockerfile/execution.hpp"
#include "common/dockerfile/expand.hpp"
#include "common/dockerfile/file.hpp"
#include "common/dockerfile/scope.hpp"
#include "common/dockerfile/state.hpp"

namespace dockerfile {

struct Step {
  Instruction instruction;             // expanded
  std::optional<std::string> history;  // created_by of its entry; nothing if it makes none
  std::optional<Execution> execution;  // of RUN, CMD and ENTRYPOINT
  std::string title;                   // how progress calls it
};

class StageEvaluator {
public:
  // Borrows all but `state`. What expansion adds is spent of the `budget`.
  StageEvaluator(const File& file, const GlobalScope& scope, StageState state, Lint& lint, Budget& budget)
      : file_(file), scope_(scope), state_(std::move(state)), lint_(lint), budget_(budget) {}

  // Throws Error that shows the place for whatever cannot be expanded or is no legal value once expanded.
  Step evaluate(const Instruction& instruction);

  const StageState& state() const& noexcept { return state_; }
  StageState state() && noexcept { return std::move(state_); }

private:
  void check_repetition(const Origin& origin, const char* keyword);
  void check_command(const CommandLine& command, const Origin& origin);

  void apply(Add& add, Step& step);
  void apply(Arg& arg, Step& step);
  void apply(Cmd& cmd, Step& step);
  void apply(Copy& copy, Step& step);
  void apply(Entrypoint& entrypoint, Step& step);
  void apply(Env& env, Step& step);
  void apply(Expose& expose, Step& step);
  void apply(Healthcheck& healthcheck, Step& step);
  void apply(Label& label, Step& step);
  void apply(Maintainer& maintainer, Step& step);
  void apply(Onbuild& onbuild, Step& step);
  void apply(Run& run, Step& step);
  void apply(Shell& shell, Step& step);
  void apply(StopSignal& stop_signal, Step& step);
  void apply(User& user, Step& step);
  void apply(Volume& volume, Step& step);
  void apply(Workdir& workdir, Step& step);

  std::string expanded(const std::string& word, const Origin& origin);
  std::string expanded_content(const std::string& content, const Origin& origin);
  void expand_transfer(Transfer& transfer, const Origin& origin);
  void expand_pairs(std::vector<Pair>& pairs, const Origin& origin);
  void warn_undefined(const Expansion& expansion, const Origin& origin);
  void warn(Rule rule, const std::string& message, const Origin& origin);
  std::string build_args_text() const;

  const File& file_;
  const GlobalScope& scope_;
  StageState state_;
  Lint& lint_;
  Budget& budget_;
  std::map<std::string, Location> last_of_kind_;  // of the keywords of which only the last counts
};

}  // namespace dockerfile
