// Config, history and manifest.
#include "common/output/assemble.hpp"

#include <nlohmann/json.hpp>

#include "common/hash/sha256.hpp"
#include "common/image/members.hpp"
#include "common/output/documents.hpp"
#include "common/output/history.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace output {
namespace {

constexpr const char* comment = "buildkit.dockerfile.v0";

// What is written here is read by tools with this limit, ours among them.
void check_size(const std::string& what, const std::string& document) {
  if (document.size() <= image::max_document_size) return;
  throw util::Error("the image's " + what + " has " + util::human_size(document.size()) + ", more than the " +
                    util::human_size(image::max_document_size) +
                    " that readers of images accept: use fewer instructions or shorter values");
}

// Behind all others, so that they stay as they are.
void add_field(const ConfigField& field, const std::vector<hash::Digest>& diff_ids,
               std::string& config_json) {
  const auto value = field.json(diff_ids);
  if (value.empty()) return;
  config_json.insert(config_json.rfind('}'), ",\"" + field.name + "\":" + value);
}

}  // namespace

Image assemble(const plan::ImageRecipe& recipe, const std::optional<Base>& base,
               const solver::BuiltLayers& layers, std::optional<std::int64_t> epoch,
               const Annotations& annotations, const std::optional<ConfigField>& field) {
  if (recipe.config.platform.architecture.empty())
    throw util::Error("invalid image config for export: missing architecture");
  std::vector<LayerFile> layer_files;
  std::vector<plan::HistoryRecord> base_history;
  std::vector<LayerOrigin> origins;
  if (base) {
    layer_files = base->layers;
    base_history = plan::parse_history(base->config_json, "the config of the base image");
    // What nothing was read of BuildKit has not pulled when it writes the history.
    origins.resize(layer_files.size(),
                   {.description = base->is_read ? "pulled from " + base->name : "created by buildkit",
                    .created = util::Date::now()});
  }
  const auto epoch_date = epoch ? std::optional(util::Date{.seconds = *epoch}) : std::nullopt;
  std::vector<plan::HistoryRecord> added;
  for (const auto& entry : recipe.history) {
    if (entry.is_written) {
      added.push_back({.created = epoch_date,
                       .created_by = entry.created_by,
                       .author = "",
                       .comment = comment,
                       .empty_layer = !entry.layer.has_value()});
    }
    if (!entry.layer) continue;
    const auto& layer = layers.at(*entry.layer);
    layer_files.push_back({.descriptor = layer.packed.blob,
                           .diff_id = layer.packed.diff_id,
                           .open = layer.open,
                           .is_own = layer.is_own});
    origins.push_back(
        {.description = entry.is_written ? layer.description : entry.created_by, .created = layer.created});
  }
  const auto history = complete_history(base_history, added, origins, epoch_date);

  std::vector<hash::Digest> diff_ids;
  for (const auto& layer : layer_files)
    diff_ids.push_back(layer.diff_id);
  auto config_json = plan::to_json(recipe.config, history, diff_ids);
  if (field) add_field(*field, diff_ids, config_json);
  check_size("config", config_json);
  const image::Descriptor config{.media_type = std::string(image::media_type::oci_config),
                                 .digest = hash::sha256(config_json),
                                 .size = config_json.size()};
  auto manifest_json = manifest_document(config, layer_files, annotations);
  check_size("manifest", manifest_json);
  const image::Descriptor manifest{.media_type = std::string(image::media_type::oci_manifest),
                                   .digest = hash::sha256(manifest_json),
                                   .size = manifest_json.size(),
                                   .platform = recipe.platform};
  return {.config = config,
          .config_json = std::move(config_json),
          .manifest = manifest,
          .manifest_json = std::move(manifest_json),
          .layers = std::move(layer_files),
          .annotations = annotations};
}

}  // namespace output
