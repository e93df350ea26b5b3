// The secrets that a request gives its steps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/document/request.hpp"

namespace solver {

// Each is read when it is asked for: the request holds references alone.
class Secrets {
public:
  explicit Secrets(std::vector<document::Secret> given) : given_(std::move(given)) {}

  // The value of the one of this id; nothing if there is none. Throws util::Error if its file cannot be read.
  std::optional<std::string> find(const std::string& id) const;

private:
  std::vector<document::Secret> given_;
};

}  // namespace solver
