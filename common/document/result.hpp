// The result: what oci-solve left where.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/document/request.hpp"

namespace document {

inline constexpr std::string_view result_schema = "oci-build/result/1";

// One built target, in the order of the request.
struct BuiltTarget {
  std::optional<std::string> name;
  // image.tar (docker) or an OCI layout directory (oci); nothing when the target had no output.
  std::optional<std::filesystem::path> image;
};

struct Result {
  std::string engine;  // the engine that built: "buildkit"
  OutputFormat format = OutputFormat::docker;
  std::vector<BuiltTarget> targets;
};

// The same contracts as for the request.
Result parse_result(std::string_view json);
std::string to_json(const Result& result);

}  // namespace document
