// The end of a run that found errors.
#include "tools/oci-params/findings.hpp"

#include "common/util/text.hpp"

namespace params {

void Findings::throw_errors() const {
  if (!errors_.empty()) throw util::Error(util::join(errors_, "\n"));
}

}  // namespace params
