// The history of an image whose base may tell another one than its layers do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/plan/image_config.hpp"

namespace output {

// What is known of a layer where no entry of the history says it.
struct LayerOrigin {
  std::string description;
  util::Date created;
};

// The entries of the base and then the new ones, made to stand for these layers (lowest first) as BuildKit
// does it: entries that are too many have no layer, those that are missing are added at the end, an entry
// without a time gets that of its layer, and one without a layer that of the entry before it, or of the first
// one after that got its time so. With an epoch nothing is younger but what the base's config begins with.
std::vector<plan::HistoryRecord> complete_history(const std::vector<plan::HistoryRecord>& base,
                                                  const std::vector<plan::HistoryRecord>& added,
                                                  const std::vector<LayerOrigin>& layers,
                                                  const std::optional<util::Date>& epoch);

}  // namespace output
