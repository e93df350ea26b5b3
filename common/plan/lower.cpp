// Planning: stages in the file's order, each from the results of those before it.
#include "common/plan/lower.hpp"

#include <algorithm>
#include <utility>

#include "common/context/sources.hpp"
#include "common/dockerfile/scope.hpp"
#include "common/dockerfile/stages.hpp"
#include "common/dockerfile/text.hpp"
#include "common/plan/bases.hpp"
#include "common/plan/ops.hpp"
#include "common/plan/stage_lowering.hpp"
#include "common/plan/titles.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace plan {
namespace {

using dockerfile::StageIndex;

// The plan of all targets on one platform.
class PlatformLowering {
public:
  PlatformLowering(const dockerfile::File& file, const Inputs& inputs, const image::Platform& platform,
                   Images& images, Ops& ops, dockerfile::Lint& lint)
      : file_(file),
        inputs_(inputs),
        platform_(platform),
        images_(images),
        ops_(ops),
        lint_(lint),
        scope_(file, {.build_args = inputs.build_args,
                      .build_platform = image::Platform::host(),
                      .target_platform = platform,
                      .target = inputs.targets.back().value_or("")}),
        graph_(
            file, scope_, [this](const std::string& name) { return is_context(name); }, lint) {}

  // In the order of the targets.
  std::vector<ImageRecipe> run() {
    std::vector<StageIndex> targets;
    for (const auto& target : inputs_.targets)
      targets.push_back(graph_.target(target.value_or("")));
    resolve_bases(targets);
    const auto needed = graph_.needed_for(targets);
    for (const StageIndex stage : needed) {
      if (const auto parent = graph_.stages()[stage].parent) ++uses_[*parent];
    }
    for (const StageIndex target : targets)
      ++uses_[target];
    for (const StageIndex stage : needed) {
      auto result = lower(stage);
      filesystems_[stage] = result.filesystem;
      histories_[stage] = std::exchange(result.history, {});
      if (uses_[stage] > 0) results_.emplace(stage, std::move(result));
    }
    std::vector<ImageRecipe> recipes;
    for (const StageIndex target : targets)
      recipes.push_back(recipe(target));
    return recipes;
  }

private:
  struct Base {
    std::string reference;
    ImageConfig config;
    std::uint64_t config_size;  // of its JSON
  };

  bool is_context(const std::string& name) const {
    return inputs_.directories.count(name) > 0 || images_.is_given(name);
  }

  const image::Platform& platform_of(StageIndex stage) const {
    const auto& given = graph_.stages()[stage].platform;
    return given ? *given : platform_;
  }

  bool is_scratch(StageIndex stage) const {
    const auto& resolved = graph_.stages()[stage];
    return resolved.base == "scratch" && !resolved.named_context;
  }

  // Whether it begins with the files of a named context.
  bool is_directory(StageIndex stage) const {
    return !graph_.stages()[stage].parent && !is_scratch(stage) &&
           inputs_.directories.count(base_name(stage)) > 0;
  }

  // The name that stands for the stage's base: the stage's own, where a context takes its place.
  const std::string& base_name(StageIndex stage) const {
    return graph_.stages()[stage].named_context ? file_.stages[stage].name : graph_.stages()[stage].base;
  }

  // Triggers of base images may need further stages, which have bases of their own.
  void resolve_bases(const std::vector<StageIndex>& targets) {
    for (;;) {
      std::vector<StageIndex> stages;
      for (const StageIndex stage : graph_.needed_for(targets)) {
        if (bases_.count(stage) > 0 || graph_.stages()[stage].parent || is_scratch(stage)) continue;
        if (inputs_.directories.count(base_name(stage)) == 0) stages.push_back(stage);
      }
      if (stages.empty()) return;
      announce(stages);
      for (const StageIndex stage : stages)
        resolve_base(stage);
    }
  }

  void announce(const std::vector<StageIndex>& stages) {
    std::vector<BaseImage> bases;
    for (const StageIndex stage : stages) {
      dockerfile::located(file_.source, file_.stages[stage].origin.location, [&] {
        bases.push_back({base_reference(base_name(stage)), platform_of(stage)});
      });
    }
    images_.announce(bases);
  }

  void resolve_base(StageIndex stage) {
    const auto& origin = file_.stages[stage].origin;
    const auto base = dockerfile::located(file_.source, origin.location, [&] {
      const auto reference = base_reference(base_name(stage));
      try {
        const auto json = images_.config(reference, platform_of(stage));
        return Base{reference.full(),
                    ImageConfig::parse(json, is_given(stage) ? "could not parse oci-layout image config"
                                                             : "failed to parse image config"),
                    json.size()};
      } catch (const util::Error& error) {
        if (error.is_cancelled()) throw;
        throw dockerfile::SyntaxError(base_name(stage) + ": " + error.what(), file_.stages[stage].base);
      }
    });
    dockerfile::located(file_.source, origin.location, [&] {
      refuse_windows(platform_of(stage).os);
      if (inputs_.platforms.empty()) refuse_windows(base.config.platform.os);
    });
    if (!is_given(stage)) check_platform(stage, base.config.platform);
    const auto& triggers = base.config.on_build;
    bases_.emplace(stage, base);
    if (!triggers.empty() && !graph_.stages()[stage].named_context) graph_.add_triggers(stage, triggers);
  }

  // Whoever gives an image for a name means it, whatever its platform.
  bool is_given(StageIndex stage) const {
    return images_.is_given(base_reference(base_name(stage)).context_name());
  }

  void check_platform(StageIndex stage, const image::Platform& actual) {
    const auto& expected = platform_of(stage);
    if (actual.os == expected.os && actual.architecture == expected.architecture) return;
    const auto& origin = file_.stages[stage].origin;
    lint_.warn(dockerfile::Rule::InvalidBaseImagePlatform,
               "Base image " + base_name(stage) + " was pulled with platform \"" + actual.normalized().str() +
                   "\", expected \"" + expected.str() + "\" for current build",
               origin.location, origin.comments);
  }

  // Of the build context; read when it is first needed.
  const context::Ignore& ignore() {
    if (!ignore_ && inputs_.fetched) ignore_.emplace();
    if (!ignore_) ignore_ = context::load_ignore(inputs_.context, inputs_.dockerfile);
    return *ignore_;
  }

  // What a stage ended with, for the next of those that go on from it. The last takes it away: of a long
  // chain one is held.
  StageResult take_result(StageIndex stage) {
    const auto found = results_.find(stage);
    if (--uses_[stage] == 0) return std::move(results_.extract(found).mapped());
    // Names and values stand in the state twice, and labels in the config.
    budget_.spend(3 * found->second.config_size);
    return found->second;
  }

  // `total` is how many titles the stage has.
  StageResult start(StageIndex stage, std::ptrdiff_t total) {
    const auto& resolved = graph_.stages()[stage];
    StageResult result;
    result.platform = is_scratch(stage) ? platform_ : platform_of(stage);
    if (resolved.parent) {
      dockerfile::located(file_.source, file_.stages[stage].origin.location,
                          [&] { result = take_result(*resolved.parent); });
      result.state = dockerfile::StageState::from_stage(std::move(result.state));
      result.cmd_set = false;
      result.config.on_build.clear();
      return result;
    }
    if (is_scratch(stage) || is_directory(stage)) {
      result.filesystem = is_scratch(stage) ? ops_.scratch() : named_directory(base_name(stage));
      result.config = ImageConfig::scratch(result.platform);
      result.state = dockerfile::StageState::from_scratch();
      if (!is_scratch(stage)) result.directory = base_name(stage);
      if (graph_.stages()[stage].named_context) result.config.platform = {};
      return result;
    }
    const auto& base = bases_.at(stage);
    result.config = base.config;
    result.config_size = base.config_size;
    result.config.on_build.clear();
    result.state = dockerfile::StageState::from_image(std::exchange(result.config.env, {}),
                                                      result.config.working_dir, result.config.shell);
    result.config.working_dir = result.state.working_dir;
    result.filesystem = ops_.pull(
        base.reference, result.platform, file_.stages[stage].origin.location,
        is_given(stage)
            ? "[context " + base_reference(base_name(stage)).context_name() + "] OCI load from client"
            : step_title(place_of(stage, 1, total), {}, "FROM " + base.reference));
    result.base = result.filesystem;
    return result;
  }

  // Puts the files of a directory into a layer, for what goes on top of them and for images.
  void make_layer(StageResult& result) {
    const auto name = std::exchange(result.directory, {});
    if (name.empty()) return;
    Copy copy;
    copy.base = ops_.scratch();
    copy.sources.push_back({.from = result.filesystem, .path = "/"});
    copy.destination = "/";
    result.filesystem = ops_.add({.action = std::move(copy), .title = {}});
    result.history.push_back(
        {.created_by = "local source for context-" + name, .layer = result.filesystem, .is_written = false});
  }

  // What one stage sees of the plan.
  class StageBuilder : public PlanBuilder {
  public:
    // The base counts among all titles, but has a number of its own only where it is pulled.
    StageBuilder(PlatformLowering& plan, StageIndex stage, std::ptrdiff_t titles)
        : plan_(plan),
          stage_(stage),
          titles_(titles),
          count_(plan.bases_.count(stage) > 0 && !plan.is_given(stage) ? 1 : 0) {}

    void go_to(const dockerfile::Location& place) { place_ = place; }

    OpId add(Op op) override {
      op.location = place_;
      return plan_.ops_.add(std::move(op));
    }
    OpId context() override {
      if (plan_.inputs_.fetched) return plan_.ops_.fetched(*plan_.inputs_.fetched);
      return plan_.ops_.local("context", plan_.inputs_.context, plan_.inputs_.dockerfile);
    }
    OpId copy_from(const std::string& name) override {
      return plan_.provide(plan_.graph_.copy_provider(name), place_);
    }
    OpId mount_from(const std::string& name) override {
      return plan_.provide(plan_.graph_.mount_provider(name), place_);
    }
    OpId inline_file(const dockerfile::InlineFile& file) override { return plan_.ops_.inline_file(file); }
    std::string title(const dockerfile::Environment& environment, const std::string& text) override {
      // Triggers stand where they fire.
      const bool is_trigger = place_ == plan_.file_.stages[stage_].origin.location;
      return step_title(plan_.place_of(stage_, ++count_, titles_), environment,
                        (is_trigger ? "ONBUILD " : "") + text);
    }
    dockerfile::Budget& budget() override { return plan_.budget_; }
    const std::string& hostname() const override { return plan_.inputs_.hostname; }
    const std::string& cache_namespace() const override { return plan_.inputs_.cache_namespace; }

  private:
    PlatformLowering& plan_;
    StageIndex stage_;
    std::ptrdiff_t titles_, count_;  // all, and those so far
    dockerfile::Location place_;
  };

  StageResult lower(StageIndex stage) {
    auto result = start(stage, count_titles(stage));
    if (graph_.stages()[stage].named_context) return result;
    const auto& instructions = graph_.instructions(stage);
    if (std::any_of(instructions.begin(), instructions.end(), makes_op)) make_layer(result);
    StageBuilder builder(*this, stage, count_titles(stage));
    dockerfile::StageEvaluator evaluator(file_, scope_, std::move(result.state), lint_, budget_);
    for (const auto& instruction : instructions) {
      const auto place = dockerfile::origin(instruction).location;
      builder.go_to(place);
      const auto step = evaluator.evaluate(instruction);
      context::warn_of_ignored_sources(step.instruction, ignore(), lint_);
      dockerfile::located(file_.source, place, [&] {
        lower_step(step, evaluator.state(), builder, ignores_cache(stage), result);
      });
    }
    result.state = std::move(evaluator).state();
    return result;
  }

  bool ignores_cache(StageIndex stage) const {
    return inputs_.no_cache || std::any_of(inputs_.no_cache_stages.begin(), inputs_.no_cache_stages.end(),
                                           [&](const auto& other) {
                                             return dockerfile::equal_fold(file_.stages[stage].name, other);
                                           });
  }

  std::ptrdiff_t count_titles(StageIndex stage) const {
    const auto& instructions = graph_.instructions(stage);
    return std::count_if(instructions.begin(), instructions.end(), makes_op) +
           static_cast<std::ptrdiff_t>(bases_.count(stage) > 0 || is_directory(stage));
  }

  StepPlace place_of(StageIndex stage, std::ptrdiff_t number, std::ptrdiff_t total) const {
    StepPlace place{.platform = {}, .stage = graph_.stages()[stage].title, .number = number, .total = total};
    if (inputs_.names_platforms) place.platform = platform_of(stage);
    return place;
  }

  OpId provide(const dockerfile::Provider& provider, const dockerfile::Location& place) {
    if (const auto* stage = std::get_if<StageIndex>(&provider)) return filesystems_.at(*stage);
    const auto& name = std::get<std::string>(provider);
    if (inputs_.directories.count(name) > 0) return named_directory(name);
    const auto reference = base_reference(name).full();
    return ops_.pull(reference, platform_, place, "FROM " + reference);
  }

  OpId named_directory(const std::string& name) { return ops_.local(name, inputs_.directories.at(name), {}); }

  ImageRecipe recipe(StageIndex target) {
    auto stage = take_result(target);
    make_layer(stage);
    ImageRecipe recipe{.base = stage.base, .history = history(target), .config = std::move(stage.config)};
    recipe.history.insert(recipe.history.end(), stage.history.begin(), stage.history.end());
    recipe.config.env = std::move(stage.state.image_env);
    for (const auto& [name, value] : inputs_.labels)
      recipe.config.labels[name] = value;
    if (!inputs_.platforms.empty()) recipe.config.set_platform(platform_);
    recipe.config.normalize_platform();
    recipe.platform = platform_;
    return recipe;
  }

  // With that of the stages it goes on from, which stands in memory once for all stages.
  std::vector<HistoryEntry> history(StageIndex target) const {
    std::vector<StageIndex> chain = {target};
    while (const auto parent = graph_.stages()[chain.back()].parent)
      chain.push_back(*parent);
    std::vector<HistoryEntry> history;
    for (auto stage = chain.rbegin(); stage != chain.rend(); ++stage) {
      const auto& own = histories_.at(*stage);
      history.insert(history.end(), own.begin(), own.end());
    }
    return history;
  }

  const dockerfile::File& file_;
  const Inputs& inputs_;
  image::Platform platform_;
  Images& images_;
  Ops& ops_;
  dockerfile::Lint& lint_;
  dockerfile::GlobalScope scope_;
  dockerfile::StageGraph graph_;
  std::map<StageIndex, Base> bases_;
  std::optional<context::Ignore> ignore_;

  dockerfile::Budget budget_;
  std::map<StageIndex, std::size_t> uses_;  // stages and targets that still need the result
  std::map<StageIndex, StageResult> results_;
  std::map<StageIndex, OpId> filesystems_;
  std::map<StageIndex, std::vector<HistoryEntry>> histories_;
};

}  // namespace

Graph lower(const dockerfile::File& file, const Inputs& inputs, Images& images, const Warn& warn) {
  Graph graph;
  graph.source = file.source;
  for (const auto& target : inputs.targets)
    graph.targets.push_back({.name = target, .images = {}});
  auto platforms = inputs.platforms;
  if (platforms.empty()) platforms.push_back(image::Platform::host());
  Ops ops;
  for (const auto& platform : platforms) {
    ops.begin_platform();
    dockerfile::Lint lint = file.lint;
    const auto warn_once = [&] {  // every platform finds the same
      if (&platform == &platforms.front())
        std::for_each(lint.warnings().begin(), lint.warnings().end(), warn);
    };
    std::vector<ImageRecipe> recipes;
    try {
      recipes = PlatformLowering(file, inputs, platform, images, ops, lint).run();
    } catch (const util::Error&) {
      warn_once();
      throw;
    }
    warn_once();
    for (std::size_t i = 0; i < recipes.size(); ++i)
      graph.targets[i].images.push_back(std::move(recipes[i]));
    if (const auto violation = lint.violation()) throw util::Error(*violation);
  }
  graph.ops = ops.take();
  return graph;
}

}  // namespace plan
