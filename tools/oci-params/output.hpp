// The form in which images come out: format, compression, timestamps, attestations.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/document/request.hpp"
#include "tools/oci-params/environment.hpp"
#include "tools/oci-params/findings.hpp"

namespace params {

// OUTPUT_OCI, UNPACK_ROOTFS, REWRITE_TIMESTAMP, COMPRESSION, COMPRESSION_LEVEL. Several platforms need
// OutputFormat::oci and so imply it.
document::Output read_output(const Environment& environment, const std::vector<image::Platform>& platforms,
                             Findings& findings);

struct Attestations {
  std::optional<document::Attributes> provenance;
  std::optional<document::Attributes> sbom;
};

// PROVENANCE and SBOM in BuildKit's words. They need OutputFormat::oci.
Attestations read_attestations(const Environment& environment, document::OutputFormat format,
                               Findings& findings);

// SOURCE_DATE_EPOCH: seconds since 1970, "context", or the name of a stage or named context.
std::optional<std::string> read_source_date_epoch(const Environment& environment);

}  // namespace params
