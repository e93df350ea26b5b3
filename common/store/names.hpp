// What names of images meant when they were last looked up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/store/blobs.hpp"
#include "common/store/entries.hpp"
#include "common/store/spill.hpp"
#include "common/store/warn.hpp"

namespace store {

// Records of the form {"schema": "oci-build/store-name/1", "name": NAME, "digest": DIGEST, "size": BYTES}.
class Names {
public:
  // `partial` is for what is being written. Both live longer.
  Names(const Folder& folder, const Folder& partial, Warn warn, Spill& spill);

  // The manifest or index that `name` meant. A damaged record is removed, warned of, and nothing.
  std::optional<Blob> find(std::string_view name);
  // One that cannot be written is looked up again by the next build. Throws util::Error where nothing spills.
  void put(std::string_view name, const Blob& blob);

private:
  const Folder& folder_;
  const Folder& partial_;
  Warn warn_;
  Spill& spill_;
};

}  // namespace store
