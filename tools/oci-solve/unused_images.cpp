// The rules by which BuildKit finds a named context: by the name of a stage, of its base, or behind from=.
#include "tools/oci-solve/unused_images.hpp"

#include <algorithm>
#include <set>

#include "common/dockerfile/expand.hpp"
#include "common/dockerfile/scope.hpp"
#include "common/dockerfile/text.hpp"
#include "common/document/context_url.hpp"
#include "common/engine/preloads.hpp"
#include "common/image/reference.hpp"
#include "common/native/epoch.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace oci_solve {
namespace {

using Role = document::Preload::Role;

// What a Dockerfile names.
class Names {
public:
  Names(const dockerfile::File& file, const dockerfile::GlobalScope& scope, const std::string& epoch)
      : file_(file), scope_(scope) {
    add_image(epoch);  // its time may be that of a context
    for (const auto& stage : file.stages) {
      contexts_.insert(stage.name);
      add_image(dockerfile::expand(stage.base, scope.environment(), file.directives.escape).text);
      for (const auto& instruction : stage.instructions)
        add(instruction);
    }
  }

  bool has_context(const std::string& name) const { return contexts_.count(name) > 0; }

  // True also if the ARG is one of a stage: its steps may do anything with it.
  bool uses_argument(const std::string& name, const std::string& reference) const {
    return stage_args_.count(name) > 0 || has_context(reference) || hands_on(name, reference);
  }

  bool declares(const std::string& name) const {
    const auto& names = scope_.declared_names();
    return std::find(names.begin(), names.end(), name) != names.end();
  }

private:
  // True if a stage knows an ARG whose default holds the reference.
  bool hands_on(const std::string& name, const std::string& reference) const {
    return std::any_of(stage_args_.begin(), stage_args_.end(), [&](const std::string& other) {
      const auto value = scope_.environment().get(other);
      return other != name && value && value->find(reference) != std::string_view::npos;
    });
  }

  void add(const dockerfile::Instruction& instruction) {
    if (const auto* copy = std::get_if<dockerfile::Copy>(&instruction)) add_image(copy->from);
    if (const auto* run = std::get_if<dockerfile::Run>(&instruction)) {
      for (const auto& mount : run->mount_flags)
        add_image(mount.from);
    }
    if (const auto* arg = std::get_if<dockerfile::Arg>(&instruction)) {
      for (const auto& declaration : arg->declarations)
        stage_args_.insert(declaration.name);
    }
    if (const auto* onbuild = std::get_if<dockerfile::Onbuild>(&instruction))
      add(dockerfile::parse_trigger(onbuild->trigger, file_.source, {}));
  }

  void add_image(const std::string& name) {
    const auto reference = image::Reference::parse(name);
    contexts_.insert(reference ? reference->context_name() : name);
  }

  const dockerfile::File& file_;
  const dockerfile::GlobalScope& scope_;
  std::set<std::string> contexts_;
  std::set<std::string> stage_args_;
};

std::string of_unused_argument(const std::string& name, const Names& names) {
  const auto variable = "IMAGE_ARG_" + util::escape(name);
  return names.declares(name)
             ? variable +
                   " has no effect unless ONBUILD of a base image uses it: no FROM of the Dockerfile uses "
                   "the ARG " +
                   util::quote(name)
             : variable +
                   " has no effect unless ONBUILD of a base image uses it: the Dockerfile has no ARG " +
                   util::quote(name);
}

std::string of_unused_stage(const std::string& name) {
  return "NO_CACHE: no stage of the Dockerfile is called " + util::quote(name) +
         "; give names of stages, or 'true' for all";
}

std::string of_unused_context(const std::string& name) {
  return "BUILD_CONTEXTS: " + util::quote(name) +
         " has no effect unless ONBUILD of a base image uses it: the Dockerfile has it as no stage, behind "
         "no FROM and no from=";
}

std::vector<std::string> warnings(const native::Definition& definition) {
  const auto& request = definition.request();
  const auto& file = definition.file();
  auto with_images = request;
  const auto images = engine::name_preloads(request.preloads);
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (request.preloads[i].role == Role::build_arg)
      with_images.build_args.push_back({request.preloads[i].name, images[i].reference});
  }
  const auto scope = native::global_scope(with_images, file);
  const auto epoch = native::given_epoch(request);
  const Names names(file, scope, epoch.value_or(native::epoch_of_dockerfile(definition).value_or("")));

  std::vector<std::string> found;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto& name = request.preloads[i].name;
    if (request.preloads[i].role == Role::context) {
      if (!names.has_context(images[i].reference)) found.push_back(of_unused_context(name));
    } else if (!names.uses_argument(name, images[i].reference)) {
      found.push_back(of_unused_argument(name, names));
    }
  }
  for (const auto& name : request.no_cache_stages) {
    if (std::none_of(file.stages.begin(), file.stages.end(),
                     [&](const auto& stage) { return dockerfile::equal_fold(stage.name, name); }))
      found.push_back(of_unused_stage(name));
  }
  for (const auto& context : request.contexts) {
    if (!names.has_context(context.name)) found.push_back(of_unused_context(context.name));
  }
  return found;
}

}  // namespace

std::vector<std::string> warnings_of_unused_images(const native::Definition& definition) {
  const auto& request = definition.request();
  if (request.preloads.empty() && request.contexts.empty() && request.no_cache_stages.empty()) return {};
  if (document::is_url(request.context)) return {};
  try {
    return warnings(definition);
  } catch (const util::Error&) {
    return {};  // whoever builds says what is wrong
  }
}

}  // namespace oci_solve
