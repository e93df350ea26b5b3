// Looks a Dockerfile through before anything is built.
#include "common/native/language.hpp"

#include <algorithm>
#include <set>

#include "common/dockerfile/stages.hpp"
#include "common/image/archive.hpp"
#include "common/plan/image_config.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace native {
namespace {

bool wants_devices(const dockerfile::Instruction& instruction) {
  const auto* run = std::get_if<dockerfile::Run>(&instruction);
  return run != nullptr && !run->devices.empty();
}

bool wants_devices(const std::string& trigger, const dockerfile::File& file) {
  return wants_devices(dockerfile::parse_trigger(trigger, file.source, {}));
}

// True if the instructions of `stage` run as triggers in a later stage.
bool is_base(const dockerfile::Stage& stage, const dockerfile::File& file) {
  return !stage.name.empty() && std::any_of(file.stages.begin(), file.stages.end(),
                                            [&](const auto& other) { return other.base == stage.name; });
}

std::optional<int> line_with_devices(const dockerfile::File& file) {
  for (const auto& stage : file.stages) {
    for (const auto& instruction : stage.instructions) {
      const auto* onbuild = std::get_if<dockerfile::Onbuild>(&instruction);
      if (wants_devices(instruction) ||
          (onbuild != nullptr && is_base(stage, file) && wants_devices(onbuild->trigger, file))) {
        return dockerfile::origin(instruction).location.first_line;
      }
    }
  }
  return std::nullopt;
}

// The line of a stage over an image that the store, which knows blobs by sha256, cannot hold.
std::optional<int> line_with_sha512(const dockerfile::File& file) {
  for (const auto& stage : file.stages) {
    if (stage.base.find("@sha512:") != std::string::npos) return stage.origin.location.first_line;
  }
  return std::nullopt;
}

// The line of a stage for windows, whose paths and layers are others.
std::optional<int> line_for_windows(const document::Request& request, const dockerfile::File& file) {
  const auto has_platform = [](const dockerfile::Stage& stage) { return !stage.platform.empty(); };
  if (std::none_of(file.stages.begin(), file.stages.end(), has_platform)) return std::nullopt;
  const auto scope = global_scope(request, file);
  auto lint = file.lint;
  const dockerfile::StageGraph graph(
      file, scope, [](const std::string&) { return false; }, lint);
  for (std::size_t i = 0; i < file.stages.size(); ++i) {
    const auto& stage = graph.stages()[i];
    if (stage.platform && stage.platform->os == "windows" && stage.base != "scratch")
      return file.stages[i].origin.location.first_line;
  }
  return std::nullopt;
}

struct GivenImages {
  std::optional<std::string> with_devices;
  std::optional<std::string> of_windows;
};

// The names of images on disk: one whose triggers want devices, one for windows.
GivenImages look_at_images(const document::Request& request, const dockerfile::File& file) {
  GivenImages found;
  for (const auto& preload : request.preloads) {
    if (!preload.layout) continue;
    const auto archive = image::open_layout_entry(preload.layout->directory, preload.layout->digest);
    const auto platforms = archive->platforms();
    for (const auto& platform : platforms) {
      const auto config = plan::ImageConfig::parse(archive->image(platform).config_json, preload.name);
      if (platforms.size() == 1 && config.platform.os == "windows") found.of_windows = preload.name;
      const auto& triggers = config.on_build;
      if (std::any_of(triggers.begin(), triggers.end(),
                      [&](const auto& trigger) { return wants_devices(trigger, file); })) {
        found.with_devices = preload.name;
      }
    }
  }
  return found;
}

bool runs_steps(const dockerfile::Instruction& instruction) {
  return std::holds_alternative<dockerfile::Run>(instruction) ||
         std::holds_alternative<dockerfile::Onbuild>(instruction);
}

}  // namespace

std::optional<std::string> left_out_of_language(const Definition& definition) {
  try {
    if (const auto image = dockerfile::foreign_syntax(definition.text(), definition.options()))
      return "the syntax image " + util::quote(image->value);
    const auto& request = definition.request();
    const auto& file = definition.file();
    if (const auto line = line_with_devices(file))
      return "RUN --device (" + file.source.name() + ":" + std::to_string(*line) + ")";
    if (const auto line = line_for_windows(request, file))
      return "a stage for windows (" + file.source.name() + ":" + std::to_string(*line) + ")";
    if (const auto line = line_with_sha512(file))
      return "an image by its sha512 digest (" + file.source.name() + ":" + std::to_string(*line) + ")";
    const auto images = look_at_images(request, file);
    if (images.with_devices) return "RUN --device (a trigger of " + util::quote(*images.with_devices) + ")";
    if (images.of_windows) return "an image for windows (" + util::quote(*images.of_windows) + ")";
  } catch (const util::Error&) {}
  return std::nullopt;
}

bool may_run_steps(const Definition& definition) {
  try {
    const auto& file = definition.file();
    std::set<std::string> known = {"scratch"};
    return std::any_of(file.stages.begin(), file.stages.end(), [&](const dockerfile::Stage& stage) {
      const bool has_base = known.count(stage.base) == 0;
      known.insert(stage.name);
      return has_base || std::any_of(stage.instructions.begin(), stage.instructions.end(), runs_steps);
    });
  } catch (const util::Error&) {
    return true;
  }
}

}  // namespace native
