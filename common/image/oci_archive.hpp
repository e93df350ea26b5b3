// Archives that have an index.json: OCI layouts, OCI archives and what docker save writes today.
#pragma once

#include <memory>
#include <string>

#include "common/image/archive.hpp"
#include "common/image/members.hpp"

namespace image {

// Reads the index and all indexes it points at; of the index's own entries all, or the one with this digest.
// Throws util::Error naming `what`.
std::unique_ptr<Archive> open_oci_archive(std::unique_ptr<Members> members, Format format,
                                          const std::string& what,
                                          const std::optional<hash::Digest>& only = std::nullopt);

}  // namespace image
