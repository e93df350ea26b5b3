// Where a store goes on writing once its own directory takes no more: a cache costs time, but never a build.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include "common/store/entries.hpp"
#include "common/store/warn.hpp"
#include "common/util/error.hpp"

namespace store {

class Store;

// Thread-safe.
class Spill {
public:
  // `directory` is of this build alone, and need not exist; without one there is nowhere to go on. Of a store
  // that is only looked at everything goes there from the beginning.
  Spill(std::optional<std::filesystem::path> directory, std::filesystem::path instead_of, Warn warn,
        bool only_looks = false);
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;
  ~Spill();

  // The store of this build alone; null as long as nothing had to go there.
  Store* store() const noexcept { return used_.load(); }

  // The same, used from now on for all that is written, because writing failed for `reason`: warns of the
  // first. Throws `reason` where there is nowhere to go on, or the build is to stop.
  Store& use(const util::Error& reason);

  // True where nothing of the store may change: no time of use, and what is damaged stays.
  bool only_looks() const noexcept { return only_looks_; }

  // False where a failure to write is the end of it.
  bool is_possible() const noexcept { return directory_.has_value(); }

  // True once that was for want of space.
  bool is_for_space() const noexcept { return for_space_.load(); }

private:
  std::optional<std::filesystem::path> directory_;
  std::filesystem::path instead_of_;
  Warn warn_;
  const bool only_looks_;
  std::mutex mutex_;
  std::unique_ptr<Store> store_;
  std::atomic<Store*> used_ = nullptr;
  std::atomic<bool> for_space_ = false;
};

// Where the last use of a blob is noted: in its own time, or in that of a small file beside it (use_of).
enum class NoteOfUse { own, beside };
NoteOfUse note_of_use(const struct stat& blob) noexcept;

// Notes that the file `name`, open as `fd`, is used now. In place of the time of a large one that of a small
// file beside it is set, which also holds the blob's seal (blob_seal.hpp): where a cache is an overlay, as
// those of tasks are from their second run on, the kernel copies a file whose time is to change. The time
// decides what is pruned first and nothing else, so a failure does no harm.
void note_use(const Folder& folder, const std::string& name, int fd, const Spill& spill) noexcept;

}  // namespace store
