// Layers beside their history.
#include "tools/oci-unpack/layers.hpp"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "common/layer/unpack.hpp"
#include "common/stream/sink.hpp"
#include "common/stream/verified_source.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace oci_unpack {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t longest_line = 2000;  // of what made a layer, in bytes

// One line of the history.
struct Step {
  std::optional<std::size_t> layer = {};  // its number from 0 on
  std::optional<std::string> created = {};
  std::optional<std::string> created_by = {};
};

// A history that does not tell of as many layers as there are tells of none.
std::vector<Step> steps_of(const image::Image& image) {
  const auto document = util::parse_json(image.config_json, "the config");
  const util::JsonFields fields(document, "the config");
  std::vector<Step> steps;
  std::size_t layers = 0;
  if (fields.has("history")) {
    for (const auto& entry : fields.objects("history")) {
      Step step{{}, entry.optional_string("created"), entry.optional_string("created_by")};
      if (!entry.has("empty_layer") || !entry.boolean("empty_layer")) step.layer = layers++;
      steps.push_back(std::move(step));
    }
  }
  if (layers == image.layers.size()) return steps;
  steps.assign(image.layers.size(), {});
  for (std::size_t i = 0; i < steps.size(); ++i)
    steps[i].layer = i;
  return steps;
}

ordered_json or_null(const std::optional<std::string>& text) {
  return text ? ordered_json(*text) : ordered_json(nullptr);
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

}  // namespace

std::string list_layers(const image::Image& image) {
  constexpr std::size_t digest_width = 71;
  std::string text = padded("LAYER", 7) + padded("SIZE", 11) + padded("DIGEST", digest_width + 2) +
                     padded("DIFF_ID", digest_width + 2) + "CREATED BY\n";
  for (const auto& step : steps_of(image)) {
    std::string line = padded(step.layer ? std::to_string(*step.layer + 1) : "-", 7);
    if (step.layer) {
      const auto& layer = image.layers[*step.layer];
      line += padded(util::human_size(layer.size), 11) + layer.digest.str() + "  " +
              image.config.diff_ids[*step.layer].str() + "  ";
    } else {
      line += padded("-", 11) + padded("-", digest_width + 2) + padded("-", digest_width + 2);
    }
    text += line + (step.created_by ? util::escape(*step.created_by, longest_line) : "-") + "\n";
  }
  return text;
}

std::string layers_to_json(const image::Image& image) {
  auto layers = ordered_json::array();
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    const auto& layer = image.layers[i];
    layers.push_back({{"digest", layer.digest.str()},
                      {"diff_id", image.config.diff_ids[i].str()},
                      {"size", layer.size},
                      {"media_type", layer.media_type}});
  }
  auto history = ordered_json::array();
  for (const auto& step : steps_of(image)) {
    history.push_back({{"layer", step.layer ? ordered_json(*step.layer + 1) : ordered_json(nullptr)},
                       {"created", or_null(step.created)},
                       {"created_by", or_null(step.created_by)}});
  }
  return util::dump_json(ordered_json{
      {"schema", "oci-build/layers/1"},
      {"manifest", image.manifest ? ordered_json(image.manifest->digest.str()) : ordered_json(nullptr)},
      {"config", image.config_digest.str()},
      {"platform", image.config.platform.str()},
      {"layers", layers},
      {"history", history}});
}

image::Image with_layer(image::Image image, const std::string& layer, const std::string& what) {
  const auto number = util::parse_uint(layer);
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    const auto& diff_id = image.config.diff_ids[i];
    if (number != i + 1 && layer != image.layers[i].digest.str() && layer != diff_id.str()) continue;
    image.config.diff_ids = {diff_id};
    image.layers = {image.layers[i]};
    return image;
  }
  throw util::Error(what + " has no layer " + util::quote(layer) + ": give a number from 1 to " +
                    std::to_string(image.layers.size()) + ", or a digest that --list shows");
}

void write_layer(const image::Archive& archive, const image::Image& image) {
  if (::isatty(STDOUT_FILENO) == 1)
    throw util::Error("stdout is a terminal: give the tar a file or a pipe", util::ExitCode::usage);
  const auto& blob = image.layers.front();
  util::with_context(archive.what() + ": layer " + blob.digest.str(), [&] {
    const auto open = [&] {
      return layer::open_layer(archive.open_blob(blob), blob, image.config.diff_ids.front());
    };
    stream::drain(*open());
    const auto source = open();
    const auto sink = stream::to_fd(STDOUT_FILENO, "stdout");
    util::Buffer buffer(256 << 10);
    while (const std::size_t count = source->read(buffer))
      sink->write(std::span<const std::byte>(buffer).first(count));
    sink->finish();
  });
}

}  // namespace oci_unpack
