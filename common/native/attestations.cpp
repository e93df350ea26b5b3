// Brings together what the parts of a build know of it.
#include "common/native/attestations.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/attest/provenance.hpp"
#include "common/attest/sbom.hpp"
#include "common/buildkit/buildctl.hpp"
#include "common/cli/version.hpp"
#include "common/document/context_url.hpp"
#include "common/image/reference.hpp"
#include "common/util/error.hpp"

namespace native {

namespace {

// What scans more than the image: stages and the context.
constexpr std::string_view scan_args = "BUILDKIT_SBOM_SCAN_";

bool asks_for_more_scans(const Definition& definition) {
  const auto& args = definition.request().build_args;
  return std::any_of(args.begin(), args.end(),
                     [](const auto& arg) { return arg.name.starts_with(scan_args); }) ||
         definition.text().find(scan_args) != std::string::npos;
}

// "oci-build-0.2.0".
std::string tool_name() {
  auto text = cli::version_text("oci-build");
  text.resize(std::min(text.find('\n'), text.size()));
  std::replace(text.begin(), text.end(), ' ', '-');
  return text;
}

}  // namespace

std::optional<std::string> left_out_attestation(const Definition& definition) {
  const auto& request = definition.request();
  if ((request.provenance || request.sbom) && document::is_url(request.context))
    return std::string(request.provenance ? "PROVENANCE" : "SBOM") + " of a CONTEXT that is a URL";
  if (request.provenance) {
    if (const auto option = attest::unknown_option(*request.provenance))
      return "PROVENANCE with '" + *option + "'";
  }
  if (request.sbom && asks_for_more_scans(definition)) return "SBOM with " + std::string(scan_args) + "*";
  return std::nullopt;
}

void check_attestations(const document::Request& request) {
  if (request.provenance)
    util::with_context("PROVENANCE", [&] { attest::ProvenanceOptions::parse(*request.provenance); });
  if (request.sbom) util::with_context("SBOM", [&] { attest::Scanner::parse(*request.sbom); });
}

Attestations::Attestations(const Definition& definition, solver::BaseImages& images)
    : definition_(definition),
      images_(images),
      invocation_(attest::new_invocation()),
      started_(util::Date::now()) {}

std::vector<plan::OpId> Attestations::plan_scans(plan::Graph& graph, const std::vector<bool>& is_exported) {
  const auto& request = definition_.request();
  if (!request.sbom) return {};
  const auto scanner = attest::Scanner::parse(*request.sbom);
  const auto config = images_.config(scanner.image, image::Platform::host());
  scanner_ = find_image({.reference = scanner.image.full(), .platform = image::Platform::host()});
  scans_ = attest::add_scans(graph, is_exported, scanner, config, request.no_cache);
  std::vector<plan::OpId> all;
  for (const auto& of_target : scans_)
    all.insert(all.end(), of_target.begin(), of_target.end());
  return all;
}

void Attestations::add(const plan::Graph& graph, std::size_t target, const solver::Solution& solution,
                       std::vector<output::Image>& images) const {
  const auto& plan = graph.targets[target];
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (scanner_) {
      std::vector<attest::ScannedLayer> layers;
      for (const auto& layer : images[i].layers)
        layers.push_back({.descriptor = layer.descriptor, .diff_id = layer.diff_id, .open = layer.open});
      images[i].statements = util::with_context("SBOM", [&] {
        return attest::read_scan(solution.layers.at(scans_[target][i]), layers, tool_name());
      });
    }
    // As BuildKit, which keeps nothing of how an image without files came about.
    if (definition_.request().provenance && attest::top_of(plan.images[i]))
      images[i].statements.push_back(provenance(graph, plan, plan.images[i], solution));
  }
}

attest::ImageSource Attestations::find_image(const plan::Pull& pull) const {
  const auto pinned = images_.pinned(pull.reference, pull.platform);
  const bool is_given = images_.is_given(image::Reference::parse(pull.reference).value().context_name());
  return {.origin = is_given ? attest::ImageOrigin::layout : attest::ImageOrigin::registry,
          .name = is_given ? pinned : pull.reference,
          .platform = pull.platform,
          .digest = hash::Digest::parse(pinned.substr(pinned.rfind('@') + 1))};
}

attest::Statement Attestations::provenance(const plan::Graph& graph, const plan::TargetPlan& target,
                                           const plan::ImageRecipe& recipe,
                                           const solver::Solution& solution) const {
  const auto& request = definition_.request();
  const auto options = attest::ProvenanceOptions::parse(request.provenance.value());
  const attest::FindImage find_image = [this](const plan::Pull& pull) { return this->find_image(pull); };
  attest::Build build{.dockerfile = definition_.options().name,
                      .args = buildkit::frontend_attributes(request, target.name),
                      .builder = image::Platform::host(),
                      .target = recipe.platform,
                      .invocation = invocation_,
                      .started = started_,
                      .finished = util::Date::now(),
                      .sources = attest::sources_of(graph, recipe, solution.pins, find_image, scanner_),
                      .config = std::nullopt};
  // The ignore file of the one and the Dockerfile of the other are read whatever the steps do.
  auto& locals = build.sources.locals;
  for (const auto* read : {"context", "dockerfile"}) {
    const auto place = std::lower_bound(locals.begin(), locals.end(), read);
    if (place == locals.end() || *place != read) locals.insert(place, read);
  }
  if (options.mode == attest::Mode::max) {
    const attest::Layers layers{
        .of_base =
            [this](const plan::Pull& pull) { return images_.image(pull.reference, pull.platform).layers; },
        .made = solution.layers};
    build.config = attest::build_config(graph, recipe, definition_.text(), request, find_image, layers);
  }
  return attest::provenance(options, std::move(build));
}

}  // namespace native
