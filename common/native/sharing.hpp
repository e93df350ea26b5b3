// CACHE_FROM and CACHE_TO of a request, for the native engine.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/cache/imports.hpp"
#include "common/cache/records.hpp"
#include "common/document/request.hpp"
#include "common/engine/progress.hpp"
#include "common/solver/step_cache.hpp"
#include "common/store/store.hpp"
#include "common/sys/cancellation.hpp"

namespace native {

// What of them only BuildKit does: "CACHE_TO of type=s3". Nothing if it can all be done here.
std::optional<std::string> left_out_of_sharing(const document::Request& request);

// Throws util::Error naming the parameter for an entry that is wrong.
struct Sharing {
  std::vector<cache::Entry> from;
  std::vector<cache::Entry> to;
  bool in_images = false;  // CACHE_TO of type=inline

  bool any() const noexcept { return !from.empty() || !to.empty() || in_images; }
};
Sharing sharing_of(const document::Request& request);

// Null if nothing is to be read.
std::unique_ptr<cache::Imports> open_imports(const Sharing& sharing, const document::Request& request,
                                             store::Store& store, const sys::Cancellation& cancel);

// What the config of an image with these layers says of the steps that made them, for CACHE_FROM of other
// builds; their times are `epoch`, if there is one. Empty, with a warning, where that would be too much.
std::string records_for_image(const solver::StepCache& steps, const std::vector<hash::Digest>& diff_ids,
                              std::optional<std::int64_t> epoch);

// Writes what `steps` has used to each cache of `sharing.to`, with all layers or only those of `images`, by
// diff_id. A failure is a warning, unless the entry says ignore-error=false: then util::Error. Throws as
// sys::Cancellation::check does.
void export_caches(const Sharing& sharing, const document::Request& request,
                   const std::set<hash::Digest>& images, solver::StepCache& steps, engine::Progress& progress,
                   const sys::Cancellation& cancel);

}  // namespace native
