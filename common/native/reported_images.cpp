// One vertex for each look-up.
#include "common/native/reported_images.hpp"

#include "common/dockerfile/source.hpp"
#include "common/util/error.hpp"

namespace native {

std::string ReportedImages::config(const image::Reference& reference, const image::Platform& platform) {
  engine::Progress::Vertex vertex(progress_, "[internal] load metadata for " + reference.full());
  vertex.start();
  try {
    auto config = images_.config(reference, platform);
    vertex.done();
    return config;
  } catch (const util::Error& error) {
    if (error.exit_code() < 128) vertex.failed(dockerfile::harmless(error.what()));
    throw;
  }
}

}  // namespace native
