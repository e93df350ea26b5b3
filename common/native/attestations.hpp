// What a build says of its images beside them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/attest/sources.hpp"
#include "common/native/definition.hpp"
#include "common/output/assemble.hpp"
#include "common/plan/graph.hpp"
#include "common/solver/base_images.hpp"
#include "common/solver/solve.hpp"
#include "common/util/date.hpp"

namespace native {

// What of PROVENANCE and SBOM is left to BuildKit, in words that follow "the build asks for"; nothing if it
// is nothing.
std::optional<std::string> left_out_attestation(const Definition& definition);

// Throws util::Error, as BuildKit does, for values that PROVENANCE and SBOM cannot have.
void check_attestations(const document::Request& request);

class Attestations {
public:
  // Of the build that begins now. All lives longer.
  Attestations(const Definition& definition, solver::BaseImages& images);

  // Adds to `graph` what scans the images of the targets that are exported, where that is asked for. Gives
  // the ops whose layers add() wants. Throws util::Error.
  std::vector<plan::OpId> plan_scans(plan::Graph& graph, const std::vector<bool>& is_exported);

  // Adds the statements that the request asks for to the images of `target`, in its order.
  void add(const plan::Graph& graph, std::size_t target, const solver::Solution& solution,
           std::vector<output::Image>& images) const;

private:
  attest::ImageSource find_image(const plan::Pull& pull) const;
  attest::Statement provenance(const plan::Graph& graph, const plan::TargetPlan& target,
                               const plan::ImageRecipe& recipe, const solver::Solution& solution) const;

  const Definition& definition_;
  solver::BaseImages& images_;
  std::vector<std::vector<plan::OpId>> scans_;  // by target and image
  std::optional<attest::ImageSource> scanner_;
  std::string invocation_;
  util::Date started_;
};

}  // namespace native
