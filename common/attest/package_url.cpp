// BuildKit's util/purl over Go's packageurl: '/' parts the namespace, a digest is a qualifier.
#include "common/attest/package_url.hpp"

#include <utility>

#include "common/http/url.hpp"
#include "common/image/reference.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace attest {

std::string package_url(ImageOrigin origin, const std::string& name, const image::Platform& platform) {
  auto reference = image::Reference::parse(name);
  if (!reference) throw util::Error(util::quote(name) + " is no name of an image");
  const auto digest = std::exchange(reference->digest, {});
  const auto tag = std::exchange(reference->tag, {});
  std::string url = origin == ImageOrigin::registry ? "pkg:docker" : "pkg:oci";
  for (const auto& part : util::split(reference->familiar(), '/'))
    url += "/" + part;
  if (!tag.empty()) {
    url += "@" + tag;
  } else if (digest.empty()) {
    url += "@latest";
  }
  const auto qualifier = "platform=" + http::percent_encode(platform.normalized().str());
  return url + (digest.empty() ? "?" : "?digest=" + digest + "&") + qualifier;
}

}  // namespace attest
