// What reading the parameters turns up besides the request: all errors at once, so that one run shows them
// all.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/util/error.hpp"

namespace params {

class Findings {
public:
  // Runs `read`; a util::Error it throws is kept for later.
  template <typename Read>
  void check(Read&& read) {
    try {
      std::forward<Read>(read)();
    } catch (const util::Error& error) {
      errors_.emplace_back(error.what());
    }
  }

  void warn(std::string message) { warnings_.push_back(std::move(message)); }

  const std::vector<std::string>& warnings() const noexcept { return warnings_; }

  // Throws one util::Error with a line for each error kept, if there is any.
  void throw_errors() const;

private:
  std::vector<std::string> errors_;
  std::vector<std::string> warnings_;
};

}  // namespace params
