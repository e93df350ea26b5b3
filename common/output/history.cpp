// The rules of BuildKit's exporter, in its order.
#include "common/output/history.hpp"

#include <algorithm>

namespace output {
namespace {

using History = std::vector<plan::HistoryRecord>;

constexpr const char* exporter = "buildkit.exporter.image.v0";

void match_layers(History& history, const std::vector<LayerOrigin>& layers) {
  std::size_t count = 0;
  for (auto& record : history) {
    if (count == layers.size()) record.empty_layer = true;
    if (!record.empty_layer) ++count;
  }
  for (; count < layers.size(); ++count) {
    history.push_back({.created = layers[count].created,
                       .created_by = layers[count].description,
                       .author = "",
                       .comment = exporter});
  }
}

void date_layers(History& history, const std::vector<LayerOrigin>& layers) {
  std::size_t layer = 0;
  for (auto& record : history) {
    if (record.empty_layer) continue;
    if (!record.created) record.created = layers[layer].created;
    ++layer;
  }
}

// Else a change of the config alone would seem as old as the base image.
void date_others(History& history) {
  std::optional<util::Date> created;
  bool missing = false;
  for (const auto& record : history) {
    if (!record.created) {
      missing = true;
    } else {
      created = record.created;
      if (missing) break;
    }
  }
  missing = false;
  for (auto& record : history) {
    if (!record.created) {
      missing = true;
      record.created = created;
    } else if (missing) {
      created = record.created;
    }
  }
}

void clamp(History& history, const History& base, const util::Date& epoch) {
  const auto as_it_was = std::mismatch(history.begin(), history.end(), base.begin(), base.end()).first;
  for (auto record = as_it_was; record != history.end(); ++record) {
    if (!record->created || record->created->is_after(epoch)) record->created = epoch;
  }
}

}  // namespace

History complete_history(const History& base, const History& added, const std::vector<LayerOrigin>& layers,
                         const std::optional<util::Date>& epoch) {
  History history = base;
  history.insert(history.end(), added.begin(), added.end());
  match_layers(history, layers);
  date_layers(history, layers);
  date_others(history);
  if (epoch) clamp(history, base, *epoch);
  return history;
}

}  // namespace output
