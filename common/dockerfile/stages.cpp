// Resolution of stages.
#include "common/dockerfile/stages.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/dockerfile/text.hpp"
#include "common/image/reference.hpp"

namespace dockerfile {
namespace {

std::string title_of(const Stage& stage, StageIndex index) {
  return stage.name.empty() ? "stage-" + std::to_string(index) : stage.name;
}

// The variables that a FROM line knows, whether they have a value or not.
std::vector<std::string> names_known_to_from(const GlobalScope& scope) {
  std::vector<std::string> names = scope.declared_names();
  for (auto& name : scope.environment().names())
    names.push_back(std::move(name));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void warn(Lint& lint, Rule rule, const std::string& message, const Stage& stage) {
  lint.warn(rule, message, stage.origin.location, stage.origin.comments);
}

Expansion expand_from(const std::string& word, const Stage& stage, const File& file, const GlobalScope& scope,
                      Lint& lint) {
  Expansion expansion = expand(word, scope.environment(), file.directives.escape);
  if (expansion.missing.empty()) return expansion;
  const auto names = names_known_to_from(scope);
  for (const auto& variable : expansion.missing) {
    if (std::binary_search(names.begin(), names.end(), variable)) continue;
    warn(lint, Rule::UndefinedArgInFrom,
         "FROM argument '" + variable + "' is not declared" + did_you_mean(variable, names), stage);
  }
  return expansion;
}

// The first suggestion for any of the missing variables.
std::string meant_instead(const Expansion& expansion, const GlobalScope& scope) {
  for (const auto& variable : expansion.missing) {
    const auto text = did_you_mean(variable, scope.environment().names());
    if (!text.empty()) return text;
  }
  return "";
}

void lint_default_bases(const File& file, const GlobalScope& scope, Lint& lint) {
  if (!scope.defaults()) return;
  for (const auto& stage : file.stages) {
    try {
      const auto base = expand(stage.base, *scope.defaults(), file.directives.escape).text;
      if (image::Reference::parse(base)) continue;
    } catch (const SyntaxError&) {
      return;  // comes again as an error where it counts
    }
    lint.warn(Rule::InvalidDefaultArgInFrom,
              "Default value for ARG " + stage.base + " results in empty or invalid base image name",
              stage.origin.location);
  }
}

// Why a name can be no image's, in the words of the reference grammar that BuildKit uses.
std::string reference_fault(const std::string& name) {
  const bool is_id = name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (is_id) {
    return "invalid repository name (" + name + "), cannot specify 64-byte hexadecimal strings";
  }
  const auto slash = name.find('/');
  const std::string first = name.substr(0, slash);
  const bool has_domain = slash != std::string::npos && (first.find_first_of(".:") != std::string::npos ||
                                                         first == "localhost" || first != lower(first));
  std::string path = has_domain ? name.substr(slash + 1) : name;
  path.resize(std::min(path.find(':'), path.size()));
  if (!has_domain && slash == std::string::npos) path.insert(0, "library/");
  if (path != lower(path)) {
    return "invalid reference format: repository name (" + path + ") must be lowercase";
  }
  return "invalid reference format";
}

void check_image_name(const std::string& name) {
  if (image::Reference::parse(name)) return;
  throw SyntaxError("failed to parse stage name " + in_quotes(name) + ": " + reference_fault(name), name);
}

// What an instruction takes files from, as written.
struct SourceReference {
  bool by_copy;
  std::string from;
  std::string target;  // of a mount
};

std::vector<SourceReference> source_references(const Instruction& instruction) {
  std::vector<SourceReference> references;
  if (const auto* copy = std::get_if<Copy>(&instruction)) {
    if (!copy->from.empty()) references.push_back({true, copy->from, ""});
  } else if (const auto* run = std::get_if<Run>(&instruction)) {
    for (const auto& mount : run->mount_flags) {
      if (!mount.from.empty()) references.push_back({false, mount.from, mount.target});
    }
  }
  return references;
}

// BuildKit numbers the steps of an only stage without its title, unless an image or a mount stands beside it.
bool names_anything_else(const std::vector<Instruction>& instructions) {
  return std::any_of(instructions.begin(), instructions.end(), [](const Instruction& instruction) {
    const auto* run = std::get_if<Run>(&instruction);
    const auto* copy = std::get_if<Copy>(&instruction);
    return (run != nullptr && !run->mount_flags.empty()) || (copy != nullptr && !copy->from.empty());
  });
}

void check_copy_source(const Instruction& instruction, char escape) {
  const auto* copy = std::get_if<Copy>(&instruction);
  if (copy == nullptr || copy->from.empty()) return;
  if (expand(copy->from, {}, escape).text == copy->from) return;
  throw SyntaxError(
      "variable expansion is not supported for --from, define a new stage with FROM using ARG from global "
      "scope as a workaround",
      copy->from);
}

}  // namespace

StageGraph::StageGraph(const File& file, const GlobalScope& scope, const IsNamedContext& is_named_context,
                       Lint& lint)
    : file_(file) {
  lint_default_bases(file, scope, lint);
  for (std::size_t i = 0; i < file.stages.size(); ++i) {
    const Stage& stage = file.stages[i];
    ResolvedStage resolved =
        located(file.source, stage.origin.location, [&] { return resolve(stage, i, scope, lint); });
    if (!stage.name.empty() && is_named_context(stage.name)) {
      resolved.named_context = true;
      resolved.parent.reset();
    }
    located(file.source, stage.origin.location,
            [&] { budget_.spend_growth(stage.base.size(), resolved.base.size()); });
    stages_.push_back(std::move(resolved));
    if (!stage.name.empty()) by_name_[stage.name] = i;
    instructions_.push_back(stages_.back().named_context ? std::vector<Instruction>() : stage.instructions);
  }
  if (stages_.size() == 1 && !names_anything_else(instructions_.front())) stages_.front().title.clear();
  for (const auto& instructions : instructions_) {
    for (const auto& instruction : instructions) {
      located(file.source, origin(instruction).location, [&] {
        check_copy_source(instruction, file.directives.escape);
        providers(instruction);
      });
    }
  }
  check_cycles();
  check_image_names();
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (!stages_[i].parent) continue;
    std::vector<std::string> triggers;
    for (const auto& instruction : file.stages[*stages_[i].parent].instructions) {
      if (const auto* onbuild = std::get_if<Onbuild>(&instruction)) triggers.push_back(onbuild->trigger);
    }
    add_triggers(i, triggers);
  }
}

// The last of that name among those that are resolved.
std::optional<StageIndex> StageGraph::find_stage(const std::string& name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

ResolvedStage StageGraph::resolve(const Stage& stage, std::size_t index, const GlobalScope& scope,
                                  Lint& lint) const {
  ResolvedStage resolved;
  resolved.title = title_of(stage, index);
  resolved.base = expand_from(stage.base, stage, file_, scope, lint).text;
  if (resolved.base.empty()) {
    throw SyntaxError("base name (" + stage.base + ") should not be blank", stage.base);
  }
  if (!stage.platform.empty()) resolved.platform = resolve_platform(stage, scope, lint);
  // Case counts here, unlike in COPY --from: names are kept in lower case.
  resolved.parent = find_stage(resolved.base);
  return resolved;
}

image::Platform StageGraph::resolve_platform(const Stage& stage, const GlobalScope& scope, Lint& lint) const {
  const Expansion expansion = expand_from(stage.platform, stage, file_, scope, lint);
  if (expansion.missing.empty() && expansion.found == std::set<std::string>{"TARGETPLATFORM"} &&
      expansion.text == scope.environment().get("TARGETPLATFORM")) {
    warn(lint, Rule::RedundantTargetPlatform,
         "Setting platform to predefined " + stage.platform +
             " in FROM is redundant as this is the default behavior",
         stage);
  }
  if (expansion.text.empty()) {
    throw SyntaxError(
        "empty platform value from expression " + stage.platform + meant_instead(expansion, scope),
        stage.platform);
  }
  image::Platform platform;
  try {
    platform = image::Platform::parse(expansion.text);
  } catch (const util::Error& error) {
    throw SyntaxError(
        "failed to parse platform " + stage.platform + ": " + error.what() + meant_instead(expansion, scope),
        stage.platform);
  }
  const bool constant = expansion.found.empty() && expansion.missing.empty();
  const auto names = [&](const std::string& part) { return stage.name.find(part) != std::string::npos; };
  if (constant && !names(platform.os) && !names(platform.architecture)) {
    warn(lint, Rule::FromPlatformFlagConstDisallowed,
         "FROM --platform flag should not use constant value " + in_quotes(expansion.text), stage);
  }
  return platform;
}

StageIndex StageGraph::target(const std::string& name) const {
  if (name.empty()) return stages_.size() - 1;
  if (const auto found = find_stage(lower(name))) return *found;
  std::vector<std::string> titles;
  for (StageIndex i = 0; i < stages_.size(); ++i)
    titles.push_back(title_of(file_.stages[i], i));
  throw util::Error("target stage " + in_quotes(name) + " could not be found" + did_you_mean(name, titles));
}

void StageGraph::add_triggers(StageIndex stage, const std::vector<std::string>& triggers) {
  const Location from = file_.stages[stage].origin.location;
  std::vector<Instruction> fired;
  for (const auto& trigger : triggers) {
    located(file_.source, from, [&] { budget_.spend(trigger.size() + sizeof(Instruction)); });
    fired.push_back(parse_trigger(trigger, file_.source, from));
    located(file_.source, from, [&] {
      check_copy_source(fired.back(), file_.directives.escape);
      providers(fired.back());
    });
  }
  auto& instructions = instructions_[stage];
  instructions.insert(instructions.begin(), std::make_move_iterator(fired.begin()),
                      std::make_move_iterator(fired.end()));
}

Provider StageGraph::copy_provider(const std::string& from) const {
  int index = 0;
  const char* end = from.data() + from.size();
  const bool has_plus = from.starts_with('+') && !from.starts_with("+-");
  const auto [stop, error] = std::from_chars(from.data() + (has_plus ? 1 : 0), end, index);
  if (error == std::errc() && stop == end) {
    if (index < 0 || static_cast<std::size_t>(index) >= stages_.size()) {
      throw SyntaxError("invalid stage index " + std::to_string(index), from);
    }
    return static_cast<StageIndex>(index);
  }
  return mount_provider(from);
}

Provider StageGraph::mount_provider(const std::string& from) const {
  if (const auto stage = find_stage(lower(from))) return *stage;
  return from;
}

// Also where no target needs the image.
void StageGraph::check_image_names() const {
  for (StageIndex i = 0; i < stages_.size(); ++i) {
    const auto& stage = stages_[i];
    if (!stage.parent && !stage.named_context && stage.base != "scratch") {
      located(file_.source, file_.stages[i].origin.location, [&] { check_image_name(stage.base); });
    }
    for (const auto& instruction : instructions_[i]) {
      located(file_.source, origin(instruction).location, [&] {
        for (const auto& reference : source_references(instruction)) {
          const Provider provider =
              reference.by_copy ? copy_provider(reference.from) : mount_provider(reference.from);
          const auto* image = std::get_if<std::string>(&provider);
          if (image != nullptr && *image != "scratch") check_image_name(*image);
        }
      });
    }
  }
}

std::vector<StageIndex> StageGraph::providers(const Instruction& instruction) const {
  std::vector<StageIndex> stages;
  for (const auto& reference : source_references(instruction)) {
    const Provider provider =
        reference.by_copy ? copy_provider(reference.from) : mount_provider(reference.from);
    if (const auto* stage = std::get_if<StageIndex>(&provider)) stages.push_back(*stage);
  }
  return stages;
}

void StageGraph::check_cycles() const {
  enum class Mark { unseen, open, done };
  std::vector<Mark> marks(stages_.size(), Mark::unseen);
  struct Step {
    StageIndex stage;
    std::size_t instruction = 0;
  };
  for (StageIndex start = 0; start < stages_.size(); ++start) {
    if (marks[start] != Mark::unseen) continue;
    std::vector<Step> path = {{start}};
    marks[start] = Mark::open;
    while (!path.empty()) {
      const StageIndex stage = path.back().stage;
      const std::size_t index = path.back().instruction++;
      if (index == instructions_[stage].size()) {
        marks[stage] = Mark::done;
        path.pop_back();
        continue;
      }
      const Instruction& instruction = instructions_[stage][index];
      for (const StageIndex provider : providers(instruction)) {
        if (marks[provider] == Mark::open) {
          throw util::Error(
              file_.source.describe(origin(instruction).location,
                                    "circular dependency detected on stage: " + stages_[start].title));
        }
        if (marks[provider] == Mark::unseen) {
          // Whatever else the instruction takes from is looked at when it comes up again.
          --path.back().instruction;
          marks[provider] = Mark::open;
          path.push_back({provider});
          break;
        }
      }
    }
  }
}

void StageGraph::check_order(StageIndex stage) const {
  for (const auto& instruction : instructions_[stage]) {
    for (const auto& reference : source_references(instruction)) {
      const Provider provider =
          reference.by_copy ? copy_provider(reference.from) : mount_provider(reference.from);
      const auto* needed = std::get_if<StageIndex>(&provider);
      if (needed == nullptr || *needed < stage || stages_[*needed].named_context) continue;
      const std::string message =
          reference.by_copy
              ? "cannot copy from stage " + in_quotes(reference.from) +
                    ", it needs to be defined before current stage " + in_quotes(stages_[stage].title)
              : "cannot mount from stage " + in_quotes(reference.from) + " to " +
                    in_quotes(reference.target) + ", stage needs to be defined before current command";
      throw util::Error(file_.source.describe(origin(instruction).location, message, reference.from));
    }
  }
}

std::vector<StageIndex> StageGraph::needed_for(const std::vector<StageIndex>& targets) const {
  std::vector<bool> needed(stages_.size());
  std::vector<StageIndex> open = targets;
  while (!open.empty()) {
    const StageIndex stage = open.back();
    open.pop_back();
    if (needed[stage]) continue;
    needed[stage] = true;
    if (stages_[stage].parent) open.push_back(*stages_[stage].parent);
    for (const auto& instruction : instructions_[stage]) {
      for (const StageIndex provider : providers(instruction))
        open.push_back(provider);
    }
  }
  std::vector<StageIndex> order;
  for (StageIndex stage = 0; stage < stages_.size(); ++stage) {
    if (!needed[stage]) continue;
    check_order(stage);
    order.push_back(stage);
  }
  return order;
}

}  // namespace dockerfile
