// Puts the request together from its parts.
#include "tools/oci-params/read_request.hpp"

#include "common/util/error.hpp"
#include "common/util/text.hpp"
#include "tools/oci-params/caches.hpp"
#include "tools/oci-params/credentials.hpp"
#include "tools/oci-params/images.hpp"
#include "tools/oci-params/named_values.hpp"
#include "tools/oci-params/network.hpp"
#include "tools/oci-params/output.hpp"
#include "tools/oci-params/source.hpp"
#include "tools/oci-params/spelling.hpp"
#include "tools/oci-params/targets.hpp"
#include "tools/oci-params/values.hpp"

namespace params {
namespace {

document::EngineChoice read_engine(const Environment& environment) {
  const auto word = environment.value("ENGINE");
  if (!word) return document::EngineChoice::automatic;
  return document::parse_engine_choice("ENGINE", *word);
}

document::IsolationChoice read_isolation(const Environment& environment, document::EngineChoice engine) {
  using document::IsolationChoice;
  const auto word = environment.value("ISOLATION");
  if (!word) return IsolationChoice::automatic;
  const auto choice = document::parse_isolation_choice("ISOLATION", *word);
  if (engine == document::EngineChoice::buildkit && choice != IsolationChoice::automatic)
    throw util::Error("ISOLATION has no effect on BuildKit, which ENGINE asks for; leave one of them out");
  return choice;
}

document::ProgressChoice read_progress(const Environment& environment) {
  const auto word = environment.value("BUILDKIT_PROGRESS");
  if (!word) return document::ProgressChoice::automatic;
  return document::parse_progress_choice("BUILDKIT_PROGRESS", *word);
}

std::optional<std::filesystem::path> read_graph(const Environment& environment) {
  const auto path = environment.value("GRAPH");
  if (!path) return std::nullopt;
  if (path->ends_with(".html") || path->ends_with(".dot")) return *path;
  throw util::Error("GRAPH: " + util::quote(*path) + " ends neither in '.html' nor in '.dot'");
}

// A preload sets its build argument itself, last, as concourse/oci-build-task has it.
void drop_shadowed_args(document::Request& request, Findings& findings) {
  for (const auto& preload : request.preloads) {
    if (preload.role != document::Preload::Role::build_arg) continue;
    const auto dropped =
        std::erase_if(request.build_args, [&](const auto& arg) { return arg.name == preload.name; });
    if (dropped > 0) {
      findings.warn("the build argument " + util::quote(preload.name) + " is also set by IMAGE_ARG_" +
                    util::escape(preload.name) + ", which is used");
    }
  }
}

void read_images(const Environment& environment, document::Request& request, Findings& findings) {
  request.preloads = read_image_args(environment, findings);
  auto contexts = read_build_contexts(environment, findings);
  for (auto& image : contexts.images)
    request.preloads.push_back(std::move(image));
  request.contexts = std::move(contexts.directories);
}

void read_outputs(const Environment& environment, document::Request& request, Findings& findings) {
  request.targets = read_targets(environment, findings);
  findings.check([&] { request.platforms = read_platforms(environment); });
  request.output = read_output(environment, request.platforms, findings);
  auto attestations = read_attestations(environment, request.output.format, findings);
  request.provenance = std::move(attestations.provenance);
  request.sbom = std::move(attestations.sbom);
  findings.check([&] { request.source_date_epoch = read_source_date_epoch(environment); });
}

}  // namespace

namespace {

// A boolean, or names of stages.
void read_no_cache(const Environment& environment, document::Request& request) {
  const auto value = environment.value("NO_CACHE");
  if (!value) return;
  if (const auto all = util::parse_bool(*value)) {
    request.no_cache = *all;
  } else {
    request.no_cache_stages = split_list(*value, ", \n");
  }
}

}  // namespace

document::Request read_request(const Environment& environment, Findings& findings) {
  for (auto& warning : spelling_warnings(environment))
    findings.warn(std::move(warning));

  document::Request request;
  auto source = read_source(environment, findings);
  request.context = std::move(source.context);
  request.dockerfile = std::move(source.dockerfile);
  request.build_args = read_build_args(environment, findings);
  request.labels = read_labels(environment, findings);
  request.annotations = read_annotations(environment, findings);
  read_images(environment, request, findings);
  drop_shadowed_args(request, findings);
  read_outputs(environment, request, findings);
  request.secrets = read_secrets(environment, findings);
  request.ssh = read_ssh(environment, findings);
  findings.check([&] { request.docker_config = read_docker_config(environment); });
  request.add_hosts = read_add_hosts(environment, findings);
  request.entitlements = read_entitlements(environment, findings);
  request.registry_mirrors = read_registry_mirrors(environment, findings);
  findings.check([&] { request.buildkit_config = environment.raw_value("BUILDKIT_EXTRA_CONFIG"); });
  findings.check([&] { read_no_cache(environment, request); });
  request.cache = read_cache(environment, findings);
  findings.check([&] { request.engine = read_engine(environment); });
  findings.check([&] { request.isolation = read_isolation(environment, request.engine); });
  request.remote = read_remote(environment, findings);
  request.proxies = read_proxies(environment);
  findings.check([&] { request.progress = read_progress(environment); });
  findings.check([&] { request.graph = read_graph(environment); });
  findings.check([&] { request.debug = read_boolean(environment, "DEBUG").value_or(false); });
  return request;
}

}  // namespace params
