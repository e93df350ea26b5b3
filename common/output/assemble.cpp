// Config, history and manifest.
#include "common/output/assemble.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "common/hash/sha256.hpp"
#include "common/image/members.hpp"
#include "common/output/documents.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace output {
namespace {

constexpr const char* comment = "buildkit.dockerfile.v0";

// As Go writes times: RFC 3339 with as many digits of the fraction as are not zero.
std::string to_text(std::time_t seconds, long long nanoseconds = 0) {
  std::tm fields{};
  ::gmtime_r(&seconds, &fields);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &fields);
  std::string result(text.data(), length);
  if (nanoseconds != 0) {
    std::snprintf(text.data(), text.size(), ".%09lld", nanoseconds);
    result += text.data();
    result.erase(result.find_last_not_of('0') + 1);
  }
  return result + "Z";
}

std::string to_text(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto whole = floor<seconds>(time);
  return to_text(system_clock::to_time_t(whole), duration_cast<nanoseconds>(time - whole).count());
}

// Entries without a time get that of the layer before them, those in front of the first new layer its own:
// else a change of the config alone would seem as old as the base image.
void fill_times(std::vector<plan::HistoryRecord>& history) {
  std::string created;
  bool missing = false;
  for (const auto& record : history) {
    if (record.created.empty()) {
      missing = true;
    } else {
      created = record.created;
      if (missing) break;
    }
  }
  missing = false;
  for (auto& record : history) {
    if (record.created.empty()) {
      missing = true;
      record.created = created;
    } else if (missing) {
      created = record.created;
    }
  }
}

// What is written here is read by tools with this limit, ours among them.
void check_size(const std::string& what, const std::string& document) {
  if (document.size() <= image::max_document_size) return;
  throw util::Error("the image's " + what + " has " + util::human_size(document.size()) + ", more than the " +
                    util::human_size(image::max_document_size) +
                    " that readers of images accept: use fewer instructions or shorter values");
}

}  // namespace

Image assemble(const plan::ImageRecipe& recipe, const std::optional<Base>& base,
               const solver::BuiltLayers& layers, std::optional<std::int64_t> epoch,
               const Annotations& annotations) {
  std::vector<LayerFile> layer_files;
  std::vector<plan::HistoryRecord> history;
  if (base) {
    layer_files = base->layers;
    history = plan::parse_history(base->config_json, "the config of the base image");
  }
  const std::string epoch_text = epoch ? to_text(static_cast<std::time_t>(*epoch)) : "";
  for (const auto& entry : recipe.history) {
    plan::HistoryRecord record{.created = epoch_text,
                               .created_by = entry.created_by,
                               .author = "",
                               .comment = comment,
                               .empty_layer = !entry.layer.has_value()};
    if (entry.layer) {
      const auto& layer = layers.at(*entry.layer);
      layer_files.push_back({.descriptor = layer.packed.blob,
                             .diff_id = layer.packed.diff_id,
                             .file = layer.file,
                             .is_own = true});
      if (!epoch) record.created = to_text(layer.created);
    }
    history.push_back(std::move(record));
  }
  fill_times(history);

  std::vector<hash::Digest> diff_ids;
  for (const auto& layer : layer_files)
    diff_ids.push_back(layer.diff_id);
  auto config_json = plan::to_json(recipe.config, history, diff_ids);
  check_size("config", config_json);
  const image::Descriptor config{.media_type = std::string(image::media_type::oci_config),
                                 .digest = hash::sha256(config_json),
                                 .size = config_json.size()};
  auto manifest_json = manifest_document(config, layer_files, annotations);
  check_size("manifest", manifest_json);
  const image::Descriptor manifest{.media_type = std::string(image::media_type::oci_manifest),
                                   .digest = hash::sha256(manifest_json),
                                   .size = manifest_json.size(),
                                   .platform = recipe.config.platform};
  return {.config = config,
          .config_json = std::move(config_json),
          .manifest = manifest,
          .manifest_json = std::move(manifest_json),
          .layers = std::move(layer_files),
          .annotations = annotations};
}

}  // namespace output
