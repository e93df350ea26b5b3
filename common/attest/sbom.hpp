// What an image holds, by a scanner that speaks BuildKit's protocol (docs/attestations/sbom-protocol.md): an
// image whose command reads one filesystem and writes in-toto statements of SPDX documents.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/attest/statement.hpp"
#include "common/document/attributes.hpp"
#include "common/hash/digest.hpp"
#include "common/image/descriptor.hpp"
#include "common/image/reference.hpp"
#include "common/plan/graph.hpp"
#include "common/solver/packing.hpp"
#include "common/sys/fd.hpp"

namespace attest {

// The words of SBOM.
struct Scanner {
  image::Reference image;
  std::map<std::string, std::string> parameters;  // by their names without "BUILDKIT_SCAN_"

  // Without `generator` it is the one that BuildKit takes. Throws util::Error for what names no image.
  static Scanner parse(const document::Attributes& attributes);
};

// Adds to `graph` the run of `scanner`, whose image config is `config_json`, over each image of the targets
// that are exported. By target and image: the op whose layer holds what the scanner wrote. Throws util::Error
// for an image without a command.
std::vector<std::vector<plan::OpId>> add_scans(plan::Graph& graph, const std::vector<bool>& is_exported,
                                               const Scanner& scanner, const std::string& config_json,
                                               bool no_cache);

// A layer of the image that was scanned.
struct ScannedLayer {
  image::Descriptor descriptor;
  hash::Digest diff_id;
  std::function<sys::UniqueFd()> open;
};

// The statements that the scanner left in `written`, that of the image itself first. Where it names files
// without a comment, the comment says in which of `layers` (lowest first) each lies; `tool` is named among
// the creators, but of an image without layers. Throws util::Error for what is no statement of an SPDX
// document.
std::vector<Statement> read_scan(const solver::BuiltLayer& written, const std::vector<ScannedLayer>& layers,
                                 const std::string& tool);

}  // namespace attest
