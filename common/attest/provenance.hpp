// How an image was built, in the form in which BuildKit says it (SLSA provenance, versions 1 and 0.2; the
// fields are explained in BuildKit's docs/attestations/slsa-definitions.md).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "common/attest/build_config.hpp"
#include "common/attest/sources.hpp"
#include "common/attest/statement.hpp"
#include "common/document/attributes.hpp"
#include "common/util/date.hpp"

namespace attest {

enum class Version { v02, v1 };
enum class Mode { min, max };

// The words of PROVENANCE that mean something without BuildKit.
struct ProvenanceOptions {
  Version version = Version::v1;
  Mode mode = Mode::max;
  std::string builder_id;
  bool reproducible = false;

  // Throws util::Error for a value that is none, in BuildKit's words.
  static ProvenanceOptions parse(const document::Attributes& attributes);
};

// The first word that only BuildKit understands; nothing if there is none.
std::optional<std::string> unknown_option(const document::Attributes& attributes);

// What is to be said of an image, apart from the options.
struct Build {
  std::string dockerfile;                   // its name
  std::map<std::string, std::string> args;  // of the request, as the frontend is given them
  image::Platform builder;
  image::Platform target;
  std::string invocation;  // names this build
  util::Date started;
  util::Date finished;
  Sources sources;
  std::optional<BuildConfig> config;  // for Mode::max
};

// Build args, labels and the ids of secrets stand in it where the mode is max. What logs in at a proxy does
// not.
Statement provenance(const ProvenanceOptions& options, Build build);

// A new name for a build.
std::string new_invocation();

}  // namespace attest
