// Build arguments, labels and annotations: from variables and from files.
#pragma once

#include <vector>

#include "common/document/request.hpp"
#include "tools/oci-params/environment.hpp"
#include "tools/oci-params/findings.hpp"

namespace params {

// Each sorted by name, then what the file adds, in its order. An empty value counts. Where the file and a
// variable, or two lines of the file, give a name different values, the later line wins, and the file over
// the variable, with a warning.
std::vector<document::NameValue> read_build_args(const Environment& environment, Findings& findings);
std::vector<document::NameValue> read_labels(const Environment& environment, Findings& findings);
std::vector<document::NameValue> read_annotations(const Environment& environment, Findings& findings);

}  // namespace params
