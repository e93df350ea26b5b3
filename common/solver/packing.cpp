// Blobs in the cache where there is one, else in files of the build.
#include "common/solver/packing.hpp"

#include <fcntl.h>

#include <utility>

#include "common/dockerfile/source.hpp"
#include "common/solver/draft.hpp"
#include "common/stream/source.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

sys::UniqueFd open_own(const std::filesystem::path& file) {
  sys::UniqueFd fd(::open(file.c_str(), O_RDWR | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC));
  if (!fd) util::throw_errno("cannot open " + util::quote(file.string()));
  return fd;
}

std::function<sys::UniqueFd()> opened_in(StepCache& cache, const image::Descriptor& blob) {
  return [&cache, blob] { return cache.open_for_image({blob.digest, blob.size}); };
}

}  // namespace

Packing::Packing(const layer::PackOptions& options, Trees& trees, StepCache* cache, sys::Cancellation cancel)
    : options_(options), trees_(trees), cache_(cache), cancel_(std::move(cancel)) {}

// Times are as the steps left them: what SOURCE_DATE_EPOCH makes of them is the image's affair.
layer::PackOptions Packing::kept_options() const {
  auto options = options_;
  options.newest_mtime.reset();
  options.look_for_losses = true;
  return options;
}

template <typename Write>
BuiltLayer Packing::write_aside(const std::string& name, const Write& write) {
  const auto file = trees_.directory() / ("layer-" + name);
  const auto what = util::quote(file.string());
  sys::UniqueFd blob(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!blob) util::throw_errno("cannot create " + what);
  auto packed = write(sys::NamedFile{blob.get(), what});
  sys::close_checked(std::move(blob), what);
  return {.packed = std::move(packed), .open = [file] { return open_own(file); }, .is_own = true};
}

// A cache that takes nothing more costs the time of packing twice.
template <typename Write>
BuiltLayer Packing::write(const std::string& name, const Write& write) {
  if (cache_ == nullptr) return write_aside(name, write);
  try {
    auto blob = cache_->blobs().create();
    auto packed = write(blob.file());
    blob.commit({packed.blob.digest, packed.blob.size});
    return {.packed = packed, .open = opened_in(*cache_, packed.blob)};
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    util::log::debug("a layer does not go into the cache: " + std::string(error.what()));
    return write_aside(name, write);
  }
}

BuiltLayer Packing::pack(const std::string& name, const Change& change, const snapshot::Stack* below) {
  std::shared_ptr<const layer::ChangeSet> upper = change.draft;
  if (!upper) upper = layer::directory_changes(change.tree);
  std::unique_ptr<layer::ChangeSet> lower;
  if (below != nullptr && !below->trees.empty()) lower = snapshot::read(*below);
  const auto options = cache_ != nullptr ? kept_options() : options_;
  // What is kept is worth its time even when the build fails.
  const auto cancel = cache_ != nullptr ? sys::Cancellation() : cancel_;
  return write(name, [&](const sys::NamedFile& file) {
    return layer::pack(*upper, lower.get(), file, options, cancel);
  });
}

BuiltLayer Packing::from_cache(const store::Step& step) {
  const image::Descriptor blob{
      .media_type = step.media_type, .digest = step.blob.digest, .size = step.blob.size};
  auto open = opened_in(*cache_, blob);
  open();
  return {
      .packed = {.diff_id = step.diff_id, .blob = blob}, .open = std::move(open), .created = step.created};
}

BuiltLayer Packing::for_image(const std::string& name, BuiltLayer built) {
  if (cache_ == nullptr) return built;
  const auto wanted = layer::media_type_of(options_.compressor);
  if (built.packed.blob.media_type == wanted && !options_.newest_mtime) return built;
  const auto parts = plan::variant_key(built.packed.diff_id, wanted, options_.newest_mtime);
  if (const auto known = cache_->find_variant(parts)) {
    auto variant = from_cache(*known);
    variant.created = built.created;
    variant.description = std::move(built.description);
    variant.variant_of = built.packed.diff_id;
    return variant;
  }
  auto variant = write(name + "-variant", [&](const sys::NamedFile& file) {
    const auto& blob = built.packed.blob;
    auto from = built.is_own ? built.open() : cache_->open({blob.digest, blob.size});
    return layer::repack(std::move(from), built.packed, file, options_, cancel_);
  });
  if (!variant.is_own) {
    cache_->keep_variant({.diff_id = variant.packed.diff_id,
                          .blob = {variant.packed.blob.digest, variant.packed.blob.size},
                          .media_type = variant.packed.blob.media_type,
                          .created = built.created,
                          .parts = parts});
  }
  variant.created = built.created;
  variant.description = std::move(built.description);
  variant.variant_of = built.packed.diff_id;
  return variant;
}

void PackingProgress::add() {
  const std::lock_guard lock(mutex_);
  ++left_;
}

void PackingProgress::open() {
  if (vertex_) return;
  vertex_.emplace(progress_, "exporting layers");
  vertex_->start();
  for (const auto& line : std::exchange(lines_, {}))
    vertex_->note(line);
}

void PackingProgress::show() {
  const std::lock_guard lock(mutex_);
  if (left_ > 0) open();
}

void PackingProgress::finish() {
  const std::lock_guard lock(mutex_);
  if (!vertex_ && lines_.empty()) return;
  open();
  vertex_->done();
}

void PackingProgress::done(const BuiltLayer& layer, std::chrono::duration<double> time) {
  const auto& blob = layer.packed.blob;
  const std::string line = "exporting layer " + blob.digest.str() + " " + engine::decimal_size(blob.size) +
                           " " + engine::shown_time(time) + " done";
  const std::lock_guard lock(mutex_);
  --left_;
  if (vertex_) {
    vertex_->note(line);
  } else {
    lines_.push_back(line);
  }
}

void PackingProgress::failed(const std::string& reason) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(failed_, true)) return;
  if (!vertex_) vertex_.emplace(progress_, "exporting layers");
  vertex_->failed(dockerfile::harmless(reason));
}

}  // namespace solver
