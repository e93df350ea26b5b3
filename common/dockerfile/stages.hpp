// How the stages of a file hang together: what each is built from, what it copies from, what a target needs.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/dockerfile/budget.hpp"
#include "common/dockerfile/file.hpp"
#include "common/dockerfile/scope.hpp"
#include "common/image/descriptor.hpp"

namespace dockerfile {

// Where files come from: a stage by its index, or the name of an image or named context.
using StageIndex = std::size_t;
using Provider = std::variant<StageIndex, std::string>;

struct ResolvedStage {
  std::string title;  // its name, or "stage-2"; empty if the file has no other stage
  std::string base;   // expanded: "scratch", an image, or the name of `parent`
  std::optional<image::Platform> platform;
  std::optional<StageIndex> parent;  // the stage it starts from
  bool named_context = false;        // a context of its name takes the place of the whole stage
};

class StageGraph {
public:
  // True for names that a named context was given for.
  using IsNamedContext = std::function<bool(const std::string& stage_name)>;

  // Expands every FROM, follows names to stages, adds what ONBUILDs of parent stages trigger. Warnings go to
  // `lint`. Borrows `file`. Throws Error that shows the place: blank or malformed bases and platforms, stages
  // that need each other, stage numbers that do not exist, variables in --from, names that no
  // image can have.
  StageGraph(const File& file, const GlobalScope& scope, const IsNamedContext& is_named_context, Lint& lint);

  const std::vector<ResolvedStage>& stages() const noexcept { return stages_; }

  // The stage to build for a target's name; the last stage for an empty one. Throws Error.
  StageIndex target(const std::string& name) const;

  // Fired triggers first, then the stage's own instructions.
  const std::vector<Instruction>& instructions(StageIndex stage) const { return instructions_[stage]; }

  // The triggers of a base image, to be added once its config is known: what `stage` needs may grow by it.
  void add_triggers(StageIndex stage, const std::vector<std::string>& triggers);

  // What COPY --from and RUN --mount=from= name. A number is a stage for COPY alone.
  Provider copy_provider(const std::string& from) const;
  Provider mount_provider(const std::string& from) const;

  // All stages that the given ones need, themselves included, in the file's order. Throws Error that shows
  // the place where one of them copies or mounts from a stage that does not stand before it.
  std::vector<StageIndex> needed_for(const std::vector<StageIndex>& targets) const;

private:
  ResolvedStage resolve(const Stage& stage, std::size_t index, const GlobalScope& scope, Lint& lint) const;
  image::Platform resolve_platform(const Stage& stage, const GlobalScope& scope, Lint& lint) const;
  std::optional<StageIndex> find_stage(const std::string& name) const;
  void check_cycles() const;
  void check_image_names() const;
  std::vector<StageIndex> providers(const Instruction& instruction) const;
  void check_order(StageIndex stage) const;

  const File& file_;
  Budget budget_;  // of bases and triggers
  std::vector<ResolvedStage> stages_;
  std::map<std::string, StageIndex> by_name_;
  std::vector<std::vector<Instruction>> instructions_;
};

}  // namespace dockerfile
