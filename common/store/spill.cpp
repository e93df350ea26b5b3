// A second store, made when the first one is full.
#include "common/store/spill.hpp"

#include <sys/stat.h>

#include "common/store/store.hpp"
#include "common/util/full_disk.hpp"
#include "common/util/text.hpp"

namespace store {

Spill::Spill(std::optional<std::filesystem::path> directory, std::filesystem::path instead_of, Warn warn,
             bool only_looks)
    : directory_(std::move(directory)),
      instead_of_(std::move(instead_of)),
      warn_(std::move(warn)),
      only_looks_(only_looks) {
  if (!only_looks_) return;
  store_ = std::make_unique<Store>(directory_.value(), Options{.warn = warn_, .life = Life::one_build});
  used_ = store_.get();
}

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

NoteOfUse note_of_use(const struct stat& blob) noexcept {
  constexpr off_t small = 64 << 10;
  return blob.st_size > small ? NoteOfUse::beside : NoteOfUse::own;
}

void note_use(const Folder& folder, const std::string& name, int fd, const Spill& spill) noexcept {
  if (spill.only_looks()) return;
  struct stat status = {};
  if (::fstat(fd, &status) == 0 && note_of_use(status) == NoteOfUse::beside) {
    try {
      const auto use = open_own_file(folder, use_of(name));
      [[maybe_unused]] const int ignored = ::futimens(use.get(), nullptr);
      return;
    } catch (const util::Error&) {}
  }
  [[maybe_unused]] const int ignored = ::futimens(fd, nullptr);
}

}  // namespace store
