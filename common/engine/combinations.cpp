// An image.tar holds one image and nothing that belongs beside it.
#include "common/engine/combinations.hpp"

#include <string>

#include "common/engine/multi_platform.hpp"
#include "common/util/error.hpp"

namespace engine {

void check_combinations(const document::Request& request) {
  const bool multi_platform = is_multi_platform(request);
  if (request.output.format == document::OutputFormat::oci) return;
  if (request.platforms.size() > 1) {
    throw util::Error(
        "several platforms need the OCI output format: one image.tar holds one image; set OUTPUT_OCI");
  }
  if (multi_platform) {
    throw util::Error(
        "the build arg BUILDKIT_MULTI_PLATFORM needs the OCI output format: an image.tar holds no index; set "
        "OUTPUT_OCI");
  }
  if (request.provenance || request.sbom) {
    throw util::Error(std::string(request.provenance ? "PROVENANCE" : "SBOM") +
                      " needs the OCI output format: an image.tar has no place for it; set OUTPUT_OCI");
  }
}

}  // namespace engine
