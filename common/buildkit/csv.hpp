// Records in the CSV dialect of buildctl's --output, --secret and --*-cache.
#pragma once

#include <string>
#include <vector>

namespace buildkit {

// The fields joined by commas, quoted where Go's encoding/csv would otherwise read them differently.
std::string csv_record(const std::vector<std::string>& fields);

}  // namespace buildkit
