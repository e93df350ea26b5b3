// One op of a plan, as an op of LLB in JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/attest/sources.hpp"
#include "common/document/request.hpp"

namespace attest {

// What an op of LLB says of those whose results it uses: each once, by its place among them.
class LlbInputs {
public:
  explicit LlbInputs(const plan::Graph& graph) : graph_(graph) {}

  // -1 for the empty filesystem, which no op of LLB makes.
  int index(plan::OpId id);

  const std::vector<plan::OpId>& ops() const noexcept { return ops_; }

private:
  const plan::Graph& graph_;
  std::vector<plan::OpId> ops_;
};

// `op`, whose inputs are put into `inputs` in their order. The script of a Run is one more after them.
nlohmann::json llb_op(const plan::Op& op, LlbInputs& inputs, const document::Request& request,
                      const FindImage& find_image);

// The op that makes one file.
nlohmann::json llb_file(const std::string& name, const std::string& content, int mode);

}  // namespace attest
