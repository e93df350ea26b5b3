// Names of images as people and registries write them: "debian", "ghcr.io/owner/name:1.0@sha256:...".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace image {

// A normalised name: what people leave out (docker.io, library/) is filled in. Empty strings are parts that
// are not given; a missing tag is not filled in.
struct Reference {
  std::string domain;  // "docker.io", "127.0.0.1:5000"
  std::string path;    // "library/debian"
  std::string tag;
  std::string digest;

  // Nothing if `text` cannot be the name of an image.
  static std::optional<Reference> parse(std::string_view text);

  // Everything that is known: "docker.io/library/debian:12".
  std::string full() const;
  // What people write: without docker.io/ and library/.
  std::string familiar() const;
  // The same without ":latest": the name of a context that stands in for the image ("debian").
  std::string context_name() const;

  friend bool operator==(const Reference&, const Reference&) = default;
};

// The same of a name as people write it: how BuildKit, and so everybody here, compares the name of a context
// with what a Dockerfile says. Throws util::Error for what no Dockerfile could name.
std::string context_name(std::string_view text);

// The name of an image in a local store, with the tag "latest" where none is given. Throws util::Error for
// what is no name, and for one with a digest, which nobody can choose.
Reference parse_repo_tag(std::string_view text);

}  // namespace image
