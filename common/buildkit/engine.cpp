// The life of a build on BuildKit.
#include "common/buildkit/engine.hpp"

#include <list>
#include <optional>

#include "common/buildkit/buildctl.hpp"
#include "common/buildkit/local_cache.hpp"
#include "common/buildkit/progress.hpp"
#include "common/engine/advice.hpp"
#include "common/engine/pending_image.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace buildkit {
namespace {

std::string describe(const document::Target& target) {
  return target.name ? "target " + util::quote(*target.name) : "the image";
}

// What only a daemon of our own could honour.
void warn_of_local_settings(const document::Request& request) {
  const auto warn = [](const std::string& parameter) {
    util::log::warning(parameter +
                       " has no effect: BUILDKIT_HOST names an engine that has its own configuration");
  };
  if (!request.registry_mirrors.empty()) warn("REGISTRY_MIRRORS");
  if (request.buildkit_config) warn("BUILDKIT_EXTRA_CONFIG");
}

std::optional<std::string> advice_after(const Progress& progress, const document::Request& request) {
  if (auto advice = engine::advice_on(progress.failure(), request)) return advice;
  if (!progress.met_unknown_program()) return std::nullopt;
  std::optional<image::Platform> foreign;
  if (request.platforms.size() == 1) foreign = request.platforms.front();
  if (foreign && foreign->architecture == image::Platform::host().architecture) foreign.reset();
  return engine::emulation_advice(foreign);
}

// The parts that the targets of one build share.
struct Build {
  const document::Request& request;
  display::Screen& screen;
  document::RemoteEngine address;
  SshForwarding ssh;
  std::optional<LocalCache> cache = std::nullopt;
  std::optional<Daemon> daemon = std::nullopt;
};

void solve(Build& build, std::size_t index, const std::optional<engine::PendingImage>& image) {
  const auto& target = build.request.targets[index];
  Solve call{.target = target.name, .destination = std::nullopt};
  if (image) call.destination = image->destination();
  if (index + 1 == build.request.targets.size()) call.repo_tags = build.request.output.repo_tags;
  if (build.cache) {
    call.cache_imports = build.cache->imports();
    call.cache_exports = build.cache->exports(index);
  }
  Progress progress(build.screen);
  const auto status = start_solve(build.request, build.address, call, build.ssh, progress).wait();
  progress.finish();
  if (status.success()) {
    // Where buildctl's content store kept partial blobs.
    if (image && build.request.output.format == document::OutputFormat::oci)
      sys::remove_tree(image->destination() / "ingest");
    return;
  }
  if (build.daemon) build.daemon->check_alive();
  const auto advice = advice_after(progress, build.request);
  throw util::Error("building " + describe(target) + " failed (buildctl " + status.describe() + ")" +
                        (advice ? "; " + *advice : ""),
                    status.as_exit_code());
}

void open_cache(Build& build) {
  if (build.request.cache.max_size || build.request.cache.max_age) {
    util::log::warning(
        "CACHE_MAX_SIZE and CACHE_MAX_AGE are for the native engine's cache; BuildKit's holds what "
        "the last build used");
  }
  if (!build.request.cache.directory) return;
  build.cache.emplace(*build.request.cache.directory, build.request.output, build.request.targets.size());
  if (const auto damage = build.cache->damage()) {
    util::log::warning("the cache is damaged and not used: " + *damage);
  }
  if (const auto reason = build.cache->why_read_only()) {
    util::log::warning("the cache is used but not rewritten: " + *reason);
  }
}

// A build whose cache cannot be kept has still made its images.
void commit_cache(Build& build) {
  if (!build.cache) return;
  try {
    build.cache->commit();
  } catch (const std::exception& error) {
    util::log::warning("the cache of this build is not kept: " + std::string(error.what()));
  }
}

}  // namespace

document::Result Engine::build() {
  Build build{.request = request_, .screen = screen_, .address = {}, .ssh = SshForwarding(request_.ssh)};
  if (request_.remote) {
    warn_of_local_settings(request_);
    build.address = *request_.remote;
  } else {
    build.daemon.emplace(request_, work_dir_, start_limit_);
    build.address = build.daemon->address();
  }
  open_cache(build);

  std::list<std::optional<engine::PendingImage>> images;  // a list: they cannot be moved
  for (std::size_t i = 0; i < request_.targets.size(); ++i) {
    if (request_.targets.size() > 1) util::log::info("building " + describe(request_.targets[i]));
    auto& image = images.emplace_back();
    if (request_.targets[i].output) image.emplace(*request_.targets[i].output, request_.output.format);
    solve(build, i, image);
  }

  document::Result result{.engine = name(), .format = request_.output.format, .targets = {}};
  auto image = images.begin();
  for (const auto& target : request_.targets) {
    auto& built = result.targets.emplace_back();
    built.name = target.name;
    if (*image) built.image = (*image)->commit();
    ++image;
  }
  commit_cache(build);
  return result;
}

}  // namespace buildkit
