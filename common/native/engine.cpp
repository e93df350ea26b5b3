// Composes plan, solver and output.
#include "common/native/engine.hpp"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <list>
#include <memory>
#include <set>
#include <utility>

#include "common/dockerfile/file.hpp"
#include "common/document/context_url.hpp"
#include "common/engine/multi_platform.hpp"
#include "common/engine/pending_image.hpp"
#include "common/hash/sha256.hpp"
#include "common/native/attestations.hpp"
#include "common/native/build_store.hpp"
#include "common/native/epoch.hpp"
#include "common/native/frontend_options.hpp"
#include "common/native/inputs.hpp"
#include "common/native/language.hpp"
#include "common/native/remote_definition.hpp"
#include "common/native/settings.hpp"
#include "common/native/sharing.hpp"
#include "common/output/documents.hpp"
#include "common/output/write.hpp"
#include "common/plan/lower.hpp"
#include "common/solver/solve.hpp"
#include "common/solver/step_cache.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/date.hpp"
#include "common/util/error.hpp"
#include "common/util/full_disk.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace native {
namespace {

namespace fs = std::filesystem;

std::string created_text(std::optional<std::int64_t> epoch) {
  return util::Date{.seconds = epoch.value_or(std::time(nullptr))}.str();
}

// Which tells the steps of one build from those of another.
std::string name_of_dockerfile(const document::Request& request) {
  if (document::is_url(request.context)) return request.dockerfile.string();
  return request.dockerfile.lexically_relative(request.context).string();
}

std::optional<std::string> left_out_parameter(const document::Request& request) {
  if (request.remote) return "a remote engine (BUILDKIT_HOST)";
  for (const auto& platform : request.platforms) {
    if (platform.os == "windows") return "an image for windows";
  }
  if (auto what = left_out_of_sharing(request)) return what;
  if (const auto keys = unread_keys(request); !keys.empty())
    return util::join(keys, ", ") + " of BUILDKIT_EXTRA_CONFIG";
  if (const auto arg = left_out_argument(request)) return "the build arg " + *arg;
  if (const auto epoch = given_epoch(request); epoch && !epoch->empty() && !is_number_of_seconds(*epoch))
    return "a SOURCE_DATE_EPOCH that is no number";
  return std::nullopt;
}

void refuse_left_out(const Definition& definition) {
  const auto& request = definition.request();
  auto missing = left_out_parameter(request);
  if (!missing) missing = left_out_attestation(definition);
  if (missing) {
    throw util::Error("the build asks for " + *missing +
                      ", which the native engine does not do; use ENGINE=buildkit");
  }
  refuse_removed_arguments(request);
  check_attestations(request);
}

class Build {
public:
  // Reads shared caches or not, but writes them.
  Build(const Definition& definition, store::Store& store, const Isolation& isolation,
        const fs::path& directory, Cache shared, engine::Progress::Options progress)
      : definition_(&definition),
        request_(definition.request()),
        epoch_(epoch_of(definition)),
        store_(store),
        progress_(std::move(progress)),
        images_(request_, registry_settings(request_), store_, progress_, canceller_.cancellation()),
        attestations_(definition, images_),
        sharing_(sharing_of(request_)),
        imports_(shared == Cache::used ? open_imports(sharing_, request_, store_, canceller_.cancellation())
                                       : nullptr),
        cache_(store_, name_of_dockerfile(request_), imports_.get()),
        workshop_({.request = request_,
                   .snapshotter = *isolation.snapshotter,
                   .sandbox = *isolation.sandbox,
                   .images = images_,
                   .store = store_,
                   .progress = progress_,
                   .canceller = canceller_,
                   .directory = directory,
                   .proxies = proxies_of(request_),
                   .epoch = epoch_,
                   .cache = store_.is_lasting() || sharing_.any() ? &cache_ : nullptr}) {}

  // Nothing if a base that lay unpacked in the cache was found to be damaged meanwhile, or the disk of the
  // cache may be failing, or a shared cache does not give what it has promised: they are to be passed over
  // then.
  std::optional<document::Result> run(Cache& cache, Cache& shared) {
    try {
      return make_images();
    } catch (const util::Error& error) {
      // A step that fails may do so because of that. Not asked after a signal, which must end the build.
      sys::Cancellation().check();
      if (error.cause().code == std::errc::io_error && store_.is_lasting()) {
        const std::string what = error.what();
        util::log::warning("building again without the cache, whose disk may be failing: " +
                           what.substr(0, what.find('\n')));
        cache = Cache::passed_over;
        return std::nullopt;
      }
      if (imports_ && imports_->has_failed()) {
        util::log::warning("building again without CACHE_FROM: " + std::string(error.what()));
        shared = Cache::passed_over;
        return std::nullopt;
      }
      if (cache_.has_lost()) return build_again("a layer");
      if (store_.is_sound()) throw;
      return build_again("what lay unpacked");
    }
  }

  document::Plan foresee() {
    document::Plan plan{.engine = "native"};
    for (auto& step : solver::foresee(make_plan(), workshop_)) {
      auto& planned = plan.steps.emplace_back();
      planned.title = std::move(step.title);
      planned.outcome = outcome_of(step.outcome);
      if (!step.reason.empty()) planned.reason = std::move(step.reason);
      planned.after = step.after;
    }
    return plan;
  }

private:
  static document::Outcome outcome_of(solver::Forecast::Outcome outcome) {
    switch (outcome) {
      case solver::Forecast::Outcome::cached:
        return document::Outcome::cached;
      case solver::Forecast::Outcome::made:
        return document::Outcome::runs;
      case solver::Forecast::Outcome::unknown:
        break;
    }
    return document::Outcome::unknown;
  }

  static std::nullopt_t build_again(const std::string& what) {
    util::log::info("building again, as " + what + " in the cache was damaged");
    return std::nullopt;
  }

  std::optional<document::Result> make_images() {
    auto graph = make_plan();
    util::log::debug("the build has " + std::to_string(graph.ops.size()) + " operations");
    std::vector<bool> is_exported;
    for (const auto& target : request_.targets)
      is_exported.push_back(target.output.has_value());
    const auto scans = attestations_.plan_scans(graph, is_exported);
    const auto solution = solver::solve(graph, is_exported, pack_options(request_, epoch_), workshop_, scans);

    // What an earlier build left stays until every target is written.
    std::list<std::optional<engine::PendingImage>> images;  // a list: they cannot be moved
    for (std::size_t i = 0; i < graph.targets.size(); ++i) {
      auto& image = images.emplace_back();
      if (!is_exported[i]) continue;
      image.emplace(*request_.targets[i].output, request_.output.format);
      // The names are those of the main target, which is the last.
      const bool is_main = i + 1 == graph.targets.size();
      write(graph, i, image->destination(), solution,
            is_main ? request_.output.repo_tags : std::vector<image::Reference>());
    }
    if (!cache_.are_sound_for_images()) return build_again("a layer");
    if (!store_.is_sound()) return build_again("what lay unpacked");
    cache_.keep_contents();
    export_caches(sharing_, request_, exported_, cache_, progress_, canceller_.cancellation());
    document::Result result{.engine = "native", .format = request_.output.format, .targets = {}};
    auto image = images.begin();
    for (const auto& target : request_.targets) {
      auto& built = result.targets.emplace_back();
      built.name = target.name;
      if (*image) built.image = (*image)->commit();
      ++image;
    }
    return result;
  }

  // Where the Dockerfile lies in it, nothing is known of the build before.
  void fetch_context() {
    remote_ = fetch_definition(request_, workshop_);
    definition_ = &remote_->definition;
    workshop_.epoch = epoch_ = epoch_of(*definition_);
  }

  plan::Graph make_plan() {
    if (document::is_url(request_.context)) fetch_context();
    engine::Progress::Vertex vertex(progress_,
                                    "[internal] load build definition from " + definition_->options().name);
    vertex.start();
    const auto show = [&](const dockerfile::Warning& warning) {
      vertex.warn(dockerfile::harmless(warning.str()));
    };
    try {
      vertex.note("transferring dockerfile: " + engine::decimal_size(definition_->text().size()) + " done");
      const auto& warnings = definition_->file().lint.warnings();
      std::for_each(warnings.begin(), warnings.end(), show);
      vertex.done();
    } catch (const util::Error&) {
      vertex.done();  // the error says itself what is wrong, and where
      throw;
    }
    const auto& file = definition_->file();
    // Those that are shown already come first again.
    return plan::lower(
        file, plan_inputs(request_, epoch_, remote_ ? std::optional(remote_->context.files) : std::nullopt),
        images_, [&, shown = file.lint.warnings().size()](const dockerfile::Warning& warning) mutable {
          shown > 0 ? void(--shown) : show(warning);
        });
  }

  void write(const plan::Graph& graph, std::size_t index, const fs::path& path,
             const solver::Solution& solution, const std::vector<image::Reference>& repo_tags) {
    const auto& target = graph.targets[index];
    engine::Progress::Vertex vertex(progress_, "exporting to " +
                                                   std::string(to_string(request_.output.format)) +
                                                   " image format" + (target.name ? " " + *target.name : ""));
    vertex.start();
    const auto tell = [&](const char* what, const image::Descriptor& made) {
      vertex.note("exporting " + std::string(what) + " " + made.digest.str() + " done");
    };
    output::Annotations annotations;
    for (const auto& [name, value] : request_.annotations)
      annotations[name] = value;
    std::optional<output::ConfigField> cache;
    if (sharing_.in_images) {
      cache = {.name = std::string(cache::config_field),
               .json = [this](const auto& diff_ids) { return records_for_image(cache_, diff_ids, epoch_); }};
    }
    std::vector<output::Image> images;
    for (const auto& recipe : target.images) {
      images.push_back(
          output::assemble(recipe, base(graph, recipe), solution.layers, epoch_, annotations, cache));
      tell("manifest", images.back().manifest);
      tell("config", images.back().config);
      for (const auto& entry : recipe.history) {
        if (!entry.layer) continue;
        const auto& layer = solution.layers.at(*entry.layer);
        exported_.insert(layer.variant_of.value_or(layer.packed.diff_id));
      }
    }
    attestations_.add(graph, index, solution, images);
    for (const auto& image : images) {
      if (!image.statements.empty())
        vertex.note("exporting attestation manifest " +
                    hash::sha256(output::attestation_document(image)).str() + " done");
    }
    const auto created = created_text(epoch_);
    if (request_.output.format == document::OutputFormat::docker) {
      // Targets may share layers.
      const auto own_layers =
          request_.targets.size() == 1 ? output::OwnLayers::given_up : output::OwnLayers::kept;
      output::write_docker_archive(images.front(), created, path, own_layers, repo_tags);
    } else {
      const auto root = engine::is_multi_platform(request_) ? output::Root::index : output::Root::manifest;
      output::write_oci_layout(images, created, path, root, repo_tags);
    }
    vertex.done();
  }

  std::optional<output::Base> base(const plan::Graph& graph, const plan::ImageRecipe& recipe) {
    if (!recipe.base) return std::nullopt;
    const auto& pull = std::get<plan::Pull>(graph.ops[*recipe.base].action);
    const auto& image = images_.image(pull.reference, pull.platform);
    output::Base base{.name = images_.pinned(pull.reference, pull.platform),
                      .is_read = solver::is_read(graph, *recipe.base),
                      .config_json = image.config_json,
                      .layers = {}};
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
      base.layers.push_back({.descriptor = image.layers[i],
                             .diff_id = image.config.diff_ids.at(i),
                             .open = [this, &pull, layer = image.layers[i]] {
                               return images_.open_blob(pull.reference, pull.platform, layer);
                             }});
    }
    return base;
  }

  const Definition* definition_;
  const document::Request& request_;
  std::optional<std::int64_t> epoch_;
  store::Store& store_;
  engine::Progress progress_;
  sys::Canceller canceller_;
  solver::BaseImages images_;
  Attestations attestations_;
  Sharing sharing_;
  std::unique_ptr<cache::Imports> imports_;
  solver::StepCache cache_;
  std::set<hash::Digest> exported_;  // layers of images, by diff_id
  solver::Workshop workshop_;
  std::unique_ptr<const RemoteDefinition> remote_;  // where the context is a URL
};

}  // namespace

document::Result Engine::build() {
  const auto& request = definition_.request();
  refuse_left_out(definition_);
  constexpr int most_tries = 3;
  auto cache = Cache::used;
  auto shared = Cache::used;
  bool may_make_room = true;
  for (int tries = 1; tries <= most_tries; ++tries) {
    // The last one relies on nothing that lies there.
    if (tries == most_tries) cache = shared = Cache::passed_over;
    const auto directory = isolation_.snapshotter->directory() / ("build-" + std::to_string(tries));
    sys::make_directory(directory, 0700);
    const auto store = open_store(request, state_dir_, cache, isolation_.directory.path());
    screen_.forget();
    try {
      const engine::Progress::Options shown{.write = {}, .screen = &screen_};
      if (auto result = Build(definition_, *store, isolation_, directory, shared, shown).run(cache, shared)) {
        make_room(*store, request);
        return std::move(*result);
      }
    } catch (const util::Error& error) {
      sys::Cancellation().check();
      const bool is_full = util::is_full_disk(error);
      if (!is_full || !std::exchange(may_make_room, false) || !make_room_for_another_try(*store)) {
        std::optional<util::Error> told;
        if (is_full) told = with_disk_use(error, request, *store, isolation_.directory.path());
        make_room(*store, request);
        if (told) throw *told;
        throw;
      }
    }
    sys::remove_tree(directory);
  }
  throw util::Error("the unpacked base images in the cache change while they are used; is its disk failing?");
}

// Progress would number what it shows otherwise than the plan does.
std::optional<document::Plan> Engine::plan() {
  const auto& request = definition_.request();
  refuse_left_out(definition_);
  const auto directory = isolation_.snapshotter->directory() / "plan";
  sys::make_directory(directory, 0700);
  const auto store = open_store_to_look(request, state_dir_, isolation_.directory.path());
  const engine::Progress::Options shown{.write = [](std::string_view) {}, .screen = &screen_};
  return Build(definition_, *store, isolation_, directory, Cache::used, shown).foresee();
}

std::optional<std::string> left_out(const Definition& definition) {
  if (auto parameter = left_out_parameter(definition.request())) return parameter;
  if (auto attestation = left_out_attestation(definition)) return attestation;
  if (auto wish = left_out_of_language(definition)) return wish;
  if (const auto epoch = epoch_of_dockerfile(definition);
      epoch && !given_epoch(definition.request()) && !is_number_of_seconds(*epoch))
    return "a SOURCE_DATE_EPOCH that is no number (an ARG of the Dockerfile)";
  return std::nullopt;
}

Work work_of(const Definition& definition) {
  const bool scans = definition.request().sbom.has_value();
  return scans || may_run_steps(definition) ? Work::steps : Work::copies;
}

}  // namespace native
