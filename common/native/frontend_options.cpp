// The names stand in frontend/dockerui/config.go, frontend/dockerfile/{builder,dockerfile2llb},
// frontend/attestations/parse.go and the manual's list of built-in build args.
#include "common/native/frontend_options.hpp"

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace native {
namespace {

constexpr auto honoured = Treatment::honoured;
constexpr auto without_effect = Treatment::without_effect;
constexpr auto left_to_buildkit = Treatment::left_to_buildkit;
constexpr auto of_no_parameter = Treatment::of_no_parameter;

constexpr FrontendOption known_args[] = {
    {"BUILDKIT_SYNTAX", honoured, "the image that reads the Dockerfile; the built-in language's is our own"},
    {"BUILDKIT_DOCKERFILE_CHECK", honoured, "in place of '# check='"},
    {"BUILDKIT_MULTI_PLATFORM", honoured, "an index, also of one image"},
    {"BUILDKIT_SANDBOX_HOSTNAME", honoured, "of steps"},
    {"BUILDKIT_CACHE_MOUNT_NS", honoured, "begins the id of every cache mount"},
    {"BUILDKIT_CONTEXT_KEEP_GIT_DIR", honoured, "of contexts out of git alone"},
    {"BUILDKIT_SBOM_SCAN_CONTEXT", honoured,
     "of an SBOM alone, which is left to BuildKit then; never in the environment of a step"},
    {"BUILDKIT_SBOM_SCAN_STAGE", honoured, "the same"},
    {"BUILDKIT_DISABLE_FILEOP", honoured, "refused, as BuildKit does"},
    {"BUILDKIT_ATTEST_*", left_to_buildkit, "PROVENANCE and SBOM"},
    {"BUILDKIT_INLINE_CACHE", without_effect, "of buildx and dockerd"},
    {"BUILDKIT_BUILD_NAME", without_effect, "of buildx, for its history"},
    {"SOURCE_DATE_EPOCH", honoured, "as the parameter: a number here, anything else left to BuildKit"},
    {"HTTP_PROXY", honoured, "of steps and pulls, in any case of letters; so are the next ones"},
    {"HTTPS_PROXY", honoured, ""},
    {"FTP_PROXY", honoured, ""},
    {"NO_PROXY", honoured, ""},
    {"ALL_PROXY", honoured, ""},
    {"BUILDPLATFORM", honoured, "the value of the ARG; so are the next ones"},
    {"BUILDOS", honoured, ""},
    {"BUILDOSVERSION", honoured, ""},
    {"BUILDARCH", honoured, ""},
    {"BUILDVARIANT", honoured, ""},
    {"TARGETPLATFORM", honoured, ""},
    {"TARGETOS", honoured, ""},
    {"TARGETOSVERSION", honoured, ""},
    {"TARGETARCH", honoured, ""},
    {"TARGETVARIANT", honoured, ""},
    {"TARGETSTAGE", honoured, ""},
};

constexpr FrontendOption options[] = {
    {"filename", honoured, "DOCKERFILE"},
    {"target", honoured, "TARGET, ADDITIONAL_TARGETS"},
    {"platform", honoured, "IMAGE_PLATFORM"},
    {"build-arg:", honoured, "BUILD_ARG_*, IMAGE_ARG_*"},
    {"label:", honoured, "LABEL_*"},
    {"add-hosts", honoured, "BUILDKIT_ADD_HOSTS"},
    {"no-cache", honoured, "NO_CACHE, of all stages"},
    {"context:", honoured, "BUILD_CONTEXTS, IMAGE_ARG_*"},
    {"context", honoured, "CONTEXT that is a URL"},
    {"attest:", honoured, "PROVENANCE, SBOM; what of their words is not, Attestations says"},
    {"multi-platform", of_no_parameter, "the build arg BUILDKIT_MULTI_PLATFORM says the same"},
    {"hostname", of_no_parameter, "the build arg BUILDKIT_SANDBOX_HOSTNAME says the same"},
    {"contextsubdir", of_no_parameter, "a CONTEXT that is a URL may name one"},
    {"contextkey", of_no_parameter, ""},
    {"dockerfilekey", of_no_parameter, ""},
    {"image-resolve-mode", of_no_parameter, ""},
    {"force-network-mode", of_no_parameter, ""},
    {"shm-size", of_no_parameter, ""},
    {"ulimit", of_no_parameter, ""},
    {"cgroup-parent", of_no_parameter, ""},
    {"memory", of_no_parameter, ""},
    {"memswap", of_no_parameter, ""},
    {"cpushares", of_no_parameter, ""},
    {"cpuperiod", of_no_parameter, ""},
    {"cpuquota", of_no_parameter, ""},
    {"cpusetcpus", of_no_parameter, ""},
    {"cpusetmems", of_no_parameter, ""},
    {"cache-imports", of_no_parameter, "CACHE_FROM, and the task's cache, go by --import-cache"},
    {"cache-from", of_no_parameter, ""},
    {"requestid", of_no_parameter, ""},
    {"source", of_no_parameter, ""},
    {"cmdline", of_no_parameter, ""},
    {"frontend.caps", of_no_parameter, ""},
    {"local-sessionid:", of_no_parameter, ""},
    {"sharedkey:localdir:", of_no_parameter, ""},
    {"input-metadata:", of_no_parameter, ""},
    {"override-copy-image", of_no_parameter, ""},
};

bool stands_for(const FrontendOption& option, std::string_view name) {
  if (!option.name.ends_with('*')) return name == option.name;
  return name.starts_with(option.name.substr(0, option.name.size() - 1));
}

}  // namespace

std::span<const FrontendOption> builtin_args() {
  return known_args;
}

std::span<const FrontendOption> frontend_options() {
  return options;
}

std::optional<std::string> left_out_argument(const document::Request& request) {
  for (const auto& given : request.build_args) {
    for (const auto& option : known_args) {
      if (option.treatment == left_to_buildkit && stands_for(option, given.name)) return given.name;
    }
  }
  return std::nullopt;
}

void refuse_removed_arguments(const document::Request& request) {
  for (const auto& [name, value] : request.build_args) {
    if (name == "BUILDKIT_DISABLE_FILEOP" && util::parse_bool(value).value_or(false)) {
      throw util::Error("support for \"BUILDKIT_DISABLE_FILEOP\" build-arg was removed in BuildKit 0.11");
    }
  }
}

}  // namespace native
