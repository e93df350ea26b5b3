// Archives that have an index.json: OCI layouts, OCI archives and what docker save writes today.
#pragma once

#include <memory>
#include <string>

#include "common/image/archive.hpp"
#include "common/image/members.hpp"

namespace image {

// Which of an index's own entries count: all, or those with this digest or tag.
struct Selection {
  std::optional<hash::Digest> digest = std::nullopt;
  std::string tag = {};
};

// Reads the index and all indexes it points at. Throws util::Error naming `what`, for a tag that is not there
// with those that are.
std::unique_ptr<Archive> open_oci_archive(std::unique_ptr<Members> members, Format format,
                                          const std::string& what, const Selection& only = {});

}  // namespace image
