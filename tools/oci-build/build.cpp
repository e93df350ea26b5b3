// The stages in their order, and what happens to each image once it is built.
#include "tools/oci-build/build.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/document/context_url.hpp"
#include "common/document/request.hpp"
#include "common/document/result.hpp"
#include "common/image/descriptor.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/sys/work_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"
#include "tools/oci-build/ignore_file.hpp"
#include "tools/oci-build/outputs.hpp"
#include "tools/oci-build/pipeline.hpp"
#include "tools/oci-build/summary.hpp"

namespace oci_build {
namespace {

namespace fs = std::filesystem;

// As oci-digest tells them.
struct Digests {
  std::optional<std::string> config;    // nothing where there are several platforms and none is the machine's
  std::optional<std::string> manifest;  // the same
  std::optional<std::string> whole;     // what a registry would call the image, be it a manifest or an index
};

Digests read_digests(Pipeline& pipeline, const fs::path& image) {
  const std::string what = "the output of oci-digest";
  const auto json = util::parse_json(pipeline.run("oci-digest", {"--json", image.string()}), what);
  const util::JsonFields fields(json, what);
  return {fields.optional_string("config"), fields.optional_string("manifest"),
          fields.optional_string("index")};
}

// The platform to unpack: the worker's own if it is among several, else the first.
std::optional<std::string> platform_to_unpack(const std::vector<image::Platform>& platforms,
                                              const fs::path& image) {
  if (platforms.size() < 2) return std::nullopt;
  const auto host = image::Platform::host();
  const auto own = std::find(platforms.begin(), platforms.end(), host);
  const auto chosen = (own != platforms.end() ? *own : platforms.front()).str();
  util::log::info("unpacking " + util::quote(image.string()) + " for " + chosen + ", " +
                  (own != platforms.end() ? "the platform of this machine" : "the first platform"));
  return chosen;
}

// Writes everything that lies beside an image; `staging` holds the image already. Returns the files with the
// paths they will have in `directory`.
std::vector<ExportedFile> complete_image(Pipeline& pipeline, const document::Request& request,
                                         const fs::path& image, const fs::path& staging,
                                         const fs::path& directory) {
  std::vector<ExportedFile> files;
  const auto add = [&](const fs::path& name, std::string note = {}) {
    auto path = directory / name;
    if (sys::leads_to_directory(staging / name)) path /= "";
    files.push_back({std::move(path), disk_size(staging / name), std::move(note)});
  };
  const auto write = [&](const std::string& name, const std::string& digest) {
    sys::write_file(staging / name, digest);  // no newline: pipelines use the content as it is
    add(name, digest);
  };

  const auto digests = read_digests(pipeline, image);
  const bool oci = request.output.format == document::OutputFormat::oci;
  const auto& digest = oci ? digests.whole : digests.config;
  if (!digest || !digests.whole) throw util::Error(util::quote(image.string()) + " has no digest");
  // Without this marker registry-image pushes the layout's own index.json around a single manifest, and the
  // repository then knows another digest than the one announced here.
  if (oci && digests.whole == digests.manifest)
    sys::write_file(image / "single-image-digest", *digests.manifest);
  add(image.filename(), *digests.whole);
  write("digest", *digest);
  write("manifest-digest", *digests.whole);

  if (request.output.unpack_rootfs) {
    std::vector<std::string> arguments{image.string(), staging.string()};
    if (const auto platform = platform_to_unpack(request.platforms, directory / image.filename()))
      arguments.insert(arguments.begin(), {"--platform", *platform});
    pipeline.run("oci-unpack", arguments);
    add("rootfs");
    add("metadata.json");
    add("labels.json");
  }
  return files;
}

// Points every target of `request` at a staging directory and hides those from the context.
void stage_outputs(document::Request& request, Outputs& outputs, const fs::path& work_dir) {
  std::vector<fs::path> hidden{work_dir};
  for (auto& target : request.targets) {
    if (target.output) hidden.emplace_back(*(target.output = outputs.stage(*target.output)));
  }
  if (document::is_url(request.context)) return;
  request.dockerfile = hide_from_context(request.context, request.dockerfile, hidden, work_dir);
}

document::Request read_request(Pipeline& pipeline) try {
  return document::parse_request(pipeline.run("oci-params", {}));
} catch (const util::Error&) {
  recover_all(".");  // the outputs are not known, but are here for every task
  throw;
}

}  // namespace

void build(const std::optional<std::string>& progress) {
  const auto begin = std::chrono::steady_clock::now();
  Pipeline pipeline;
  auto request = read_request(pipeline);
  if (progress) {
    request.progress = document::parse_progress_choice("--progress", *progress, util::ExitCode::usage);
  }
  if (request.debug) util::log::set_level(util::log::Level::debug);
  const auto targets = request.targets;

  const sys::WorkDir work(sys::scratch_directory());
  Outputs outputs;
  stage_outputs(request, outputs, work.path());
  const std::vector<std::string> work_option{"--work-dir", work.path().string()};
  auto job = document::to_json(request);
  if (!request.preloads.empty()) job = pipeline.run("oci-preload", work_option, job);
  const auto result = document::parse_result(pipeline.run("oci-solve", work_option, job));
  if (result.targets.size() != targets.size()) throw util::Error("oci-solve left out a target");

  std::vector<Export> exports;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    // The main target's directory is 'image', whatever its name.
    const bool main = i + 1 == targets.size();
    auto& built =
        exports.emplace_back(Export{targets[i].name, main ? "image" : targets[i].name.value_or(""), {}});
    const auto& image = result.targets[i].image;
    if (targets[i].output && image) {
      built.files = complete_image(pipeline, request, *image, *request.targets[i].output, *targets[i].output);
    }
  }
  outputs.publish();
  const auto total = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  util::log::info(summary(exports, pipeline.stages(), total));
}

}  // namespace oci_build
