// The rules are those of BuildKit's solver/llbsolver/provenance.go and its package provenance; fields stand
// in the order that Go gives them.
#include "common/attest/provenance.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/dockerfile/remote.hpp"
#include "common/dockerfile/scope.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace attest {
namespace {

using Json = nlohmann::ordered_json;
using Args = std::map<std::string, std::string>;

constexpr std::string_view build_arg = "build-arg:";

// Also of an address without a scheme, as proxies may have it.
std::string without_login(const std::string& address) {
  if (address.find("://") != std::string::npos) return dockerfile::without_login(address);
  constexpr std::string_view scheme = "http://";
  return dockerfile::without_login(std::string(scheme) + address).substr(scheme.size());
}

// What says where the build ran, and what belongs to attestations (provenance.FilterArgs).
void leave_out_surroundings(Args& args) {
  std::erase_if(args, [](const auto& arg) {
    return arg.first == "platform" || arg.first == "filename" || arg.first.starts_with("attest:") ||
           arg.first.starts_with("build-arg:BUILDKIT_ATTEST_");
  });
  for (auto& [name, value] : args) {
    // That of a layout is a name and a digest, which look like a user and a host.
    const bool is_address =
        (name == "context" || name.starts_with("context:")) && !value.starts_with("oci-layout://");
    const bool is_proxy = name.starts_with(build_arg) &&
                          !dockerfile::proxy_settings({{name.substr(build_arg.size()), value}}).empty();
    if (is_address || is_proxy) value = without_login(value);
  }
}

// True if something was left out.
bool leave_out_values(Args& args) {
  return std::erase_if(args, [](const auto& arg) {
           return arg.first.starts_with(build_arg) || arg.first.starts_with("label:");
         }) > 0;
}

Json written(const std::vector<Access>& accesses) {
  auto list = Json::array();
  for (const auto& access : accesses) {
    auto& entry = list.emplace_back(Json{{"id", access.id}});
    if (access.optional) entry["optional"] = true;
  }
  return list;
}

Json materials_of(const Sources& sources) {
  auto list = Json::array();
  for (const auto& material : sources.materials)
    list.push_back({{"uri", material.uri}, {"digest", {{material.algorithm, material.hex}}}});
  return list;
}

// One build, as both versions tell it.
struct Told {
  Json config_source;
  Json request;
  bool has_all_of_request = true;
};

Told tell_request(Mode mode, Build& build, const char* path_name) {
  Told told{.config_source = {{path_name, build.dockerfile}}, .request = {{"frontend", "dockerfile.v0"}}};
  leave_out_surroundings(build.args);
  const bool has_args = !build.args.empty();
  if (mode == Mode::min) told.has_all_of_request = !leave_out_values(build.args);
  if (!build.args.empty()) told.request["args"] = build.args;
  if (mode == Mode::max) {
    if (!build.sources.secrets.empty()) told.request["secrets"] = written(build.sources.secrets);
    if (!build.sources.ssh.empty()) told.request["ssh"] = written(build.sources.ssh);
  }
  auto locals = Json::array();
  for (const auto& local : build.sources.locals)
    locals.push_back({{"name", local}});
  if (!locals.empty()) told.request["locals"] = std::move(locals);
  if (has_args) {
    // BuildKit tells the client's own request once more, where a frontend stood between.
    Json request = Json::object();
    if (!build.args.empty()) request["args"] = build.args;
    told.request["root"] = {{"configSource", {{"path", build.dockerfile}}}, {"request", request}};
  }
  return told;
}

Json metadata_of(const Build& build) {
  Json metadata = Json::object();
  if (build.config) {
    metadata["source"] = Json::parse(build.config->source);
    metadata["layers"] = Json::parse(build.config->layers);
  }
  return metadata;
}

Json predicate_v1(const ProvenanceOptions& options, Build& build) {
  auto told = tell_request(options.mode, build, "path");
  Json internal = Json::object();
  if (build.config) internal["buildConfig"] = Json::parse(build.config->definition);
  internal["builderPlatform"] = build.builder.str();
  internal["targetPlatform"] = build.target.str();
  Json definition = {
      {"buildType", "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md"}};
  if (auto materials = materials_of(build.sources); !materials.empty())
    definition["resolvedDependencies"] = std::move(materials);
  definition["externalParameters"] = {{"configSource", std::move(told.config_source)},
                                      {"request", std::move(told.request)}};
  definition["internalParameters"] = std::move(internal);
  Json metadata = {{"invocationId", build.invocation},
                   {"startedOn", build.started.str()},
                   {"finishedOn", build.finished.str()},
                   {"buildkit_metadata", metadata_of(build)}};
  const bool is_complete = build.sources.locals.empty();
  metadata["buildkit_completeness"] = {{"request", told.has_all_of_request},
                                       {"resolvedDependencies", is_complete}};
  if (options.reproducible) metadata["buildkit_reproducible"] = true;
  return {{"buildDefinition", std::move(definition)},
          {"runDetails", {{"builder", {{"id", options.builder_id}}}, {"metadata", std::move(metadata)}}}};
}

Json predicate_v02(const ProvenanceOptions& options, Build& build) {
  auto told = tell_request(options.mode, build, "entryPoint");
  Json predicate = {{"builder", {{"id", options.builder_id}}},
                    {"buildType", "https://mobyproject.org/buildkit@v1"}};
  if (auto materials = materials_of(build.sources); !materials.empty())
    predicate["materials"] = std::move(materials);
  predicate["invocation"] = {{"configSource", std::move(told.config_source)},
                             {"parameters", std::move(told.request)},
                             {"environment", {{"platform", build.builder.str()}}}};
  if (build.config) predicate["buildConfig"] = Json::parse(build.config->definition);
  predicate["metadata"] = {{"buildInvocationID", build.invocation},
                           {"buildStartedOn", build.started.str()},
                           {"buildFinishedOn", build.finished.str()},
                           {"completeness",
                            {{"parameters", told.has_all_of_request},
                             {"environment", true},
                             {"materials", build.sources.locals.empty()}}},
                           {"reproducible", options.reproducible},
                           {"https://mobyproject.org/buildkit@v1#metadata", metadata_of(build)}};
  return predicate;
}

}  // namespace

ProvenanceOptions ProvenanceOptions::parse(const document::Attributes& attributes) {
  ProvenanceOptions options;
  for (const auto& [name, value] : attributes.values()) {
    if (name == "version") {
      if (value.empty()) throw util::Error("provenance SLSA version cannot be empty; use 'v1' or 'v0.2'");
      if (value != "v1" && value != "v0.2")
        throw util::Error("invalid provenance SLSA version: " + value + "; use 'v1' or 'v0.2'");
      options.version = value == "v1" ? Version::v1 : Version::v02;
    } else if (name == "mode") {
      options.mode = value == "min" ? Mode::min : Mode::max;
    } else if (name == "builder-id") {
      options.builder_id = value;
    } else if (name == "reproducible") {
      const auto word = util::parse_bool(value);
      if (!word)
        throw util::Error("failed to parse reproducible flag " + util::quote(value) +
                          "; use 'true' or 'false'");
      options.reproducible = *word;
    }
  }
  return options;
}

std::optional<std::string> unknown_option(const document::Attributes& attributes) {
  for (const auto& [name, value] : attributes.values()) {
    const auto known = {"version", "mode", "builder-id", "reproducible", "disabled"};
    if (std::find(known.begin(), known.end(), name) == known.end()) return name;
  }
  return std::nullopt;
}

Statement provenance(const ProvenanceOptions& options, Build build) {
  if (options.version == Version::v02)
    return make_statement("https://slsa.dev/provenance/v0.2", predicate_v02(options, build));
  return make_statement("https://slsa.dev/provenance/v1", predicate_v1(options, build));
}

// As long as BuildKit's, of the same letters.
std::string new_invocation() {
  std::array<std::uint8_t, 25> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    util::throw_errno("cannot draw a random number");
  std::string name;
  for (const auto byte : random)
    name += "0123456789abcdefghijklmnopqrstuvwxyz"[byte % 36];
  return name;
}

}  // namespace attest
