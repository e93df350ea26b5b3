// Looks a Dockerfile through before anything is built.
#include "common/native/language.hpp"

#include <algorithm>

#include "common/context/sources.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace native {
namespace {

std::optional<std::string> build_arg(const document::Request& request, std::string_view name) {
  for (const auto& [given, value] : request.build_args) {
    if (given == name) return value;
  }
  return std::nullopt;
}

bool wants_devices(const dockerfile::Instruction& instruction) {
  const auto* run = std::get_if<dockerfile::Run>(&instruction);
  return run != nullptr && !run->devices.empty();
}

}  // namespace

dockerfile::ParseOptions parse_options(const document::Request& request) {
  return {.name = request.dockerfile.filename().string(),
          .syntax = build_arg(request, "BUILDKIT_SYNTAX"),
          .check = build_arg(request, "BUILDKIT_DOCKERFILE_CHECK")};
}

std::optional<std::string> left_out_of_language(const document::Request& request) {
  try {
    const auto text = sys::read_file(context::find_dockerfile(request.dockerfile));
    const auto options = parse_options(request);
    if (const auto image = dockerfile::foreign_syntax(text, options))
      return "the syntax image " + util::quote(image->value);
    const auto file = dockerfile::parse(text, options);
    for (const auto& stage : file.stages) {
      const auto found = std::find_if(stage.instructions.begin(), stage.instructions.end(), wants_devices);
      if (found == stage.instructions.end()) continue;
      return "RUN --device (" + file.source.name() + ":" +
             std::to_string(dockerfile::origin(*found).location.first_line) + ")";
    }
  } catch (const util::Error&) {}
  return std::nullopt;
}

}  // namespace native
