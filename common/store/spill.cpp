// A second store, made when the first one is full.
#include "common/store/spill.hpp"

#include "common/store/store.hpp"
#include "common/util/full_disk.hpp"
#include "common/util/text.hpp"

namespace store {

Spill::Spill(std::optional<std::filesystem::path> directory, std::filesystem::path instead_of, Warn warn)
    : directory_(std::move(directory)), instead_of_(std::move(instead_of)), warn_(std::move(warn)) {}

Spill::~Spill() = default;

Store& Spill::use(const util::Error& reason) {
  if (reason.is_cancelled() || !directory_) throw reason;
  const std::lock_guard lock(mutex_);
  if (!store_) {
    store_ = std::make_unique<Store>(*directory_, Options{.warn = warn_, .life = Life::one_build});
    used_ = store_.get();
    for_space_ = util::is_full_disk(reason);
    warn_("nothing more of this build is kept in " + util::quote(instead_of_.string()) + ": " +
          reason.what());
  }
  return *store_;
}

}  // namespace store
