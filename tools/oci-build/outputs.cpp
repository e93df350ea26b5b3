// Staging directories, and what happens to those of killed builds.
#include "tools/oci-build/outputs.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "common/sys/cancellation.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace oci_build {
namespace {

namespace fs = std::filesystem;

enum class Wait { no, yes };

// The locked directory, or nothing if it is none or, without waiting, somebody else's.
sys::UniqueFd lock_directory(const fs::path& directory, Wait wait = Wait::no) {
  sys::UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return fd;
  const bool locked =
      wait == Wait::yes ? sys::wait_for_lock(fd.get()) : ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0;
  return locked ? std::move(fd) : sys::UniqueFd();
}

bool is_same(const fs::path& one, const fs::path& other) {
  struct stat first {};
  struct stat second {};
  return ::lstat(one.c_str(), &first) == 0 && ::lstat(other.c_str(), &second) == 0 &&
         sys::is_same_file(first, second);
}

// Another's directory is told by its name: a journal that a stranger wrote leads nowhere else.
bool is_staging(const fs::path& path) {
  return path.filename().string().starts_with(staging_prefix);
}

// True if what the killed build had made is to stay.
bool is_decided_for(const fs::path& staging, const Publication& publication) {
  const auto& leader = publication.journal().leader;
  if (!leader || publication.is_committed()) return publication.is_committed();
  const auto path = staging.parent_path() / *leader;
  if (!is_staging(path)) return false;
  const auto leading = Publication::find(path);
  return leading && leading->is_committed();
}

void settle(Publication& publication, bool decided_for) {
  decided_for ? publication.finish() : publication.take_back();
}

// Those that changed together with the one of `leader`: all of them before that forgets what it decided.
void settle_followers(const fs::path& leader, const Publication& publication) {
  for (const auto& relative : publication.journal().followers) {
    const auto staging = leader.parent_path() / relative;
    if (!is_staging(staging)) continue;
    const auto lock = lock_directory(staging, Wait::yes);
    if (!lock) continue;  // gone
    auto follower = Publication::find(staging);
    const auto& led_by = follower ? follower->journal().leader : std::nullopt;
    if (!led_by || !is_same(staging.parent_path() / *led_by, leader)) continue;
    settle(*follower, publication.is_committed());
    follower->end();
    sys::remove_tree(staging, sys::Cancellation());
  }
}

void recover_one(const fs::path& staging) {
  if (auto publication = Publication::find(staging)) {
    const bool decided_for = is_decided_for(staging, *publication);
    util::log::warning(std::string(decided_for ? "finishing" : "taking back") +
                       " what a build that was killed " + "was exporting to " +
                       util::quote(staging.parent_path().string()));
    settle_followers(staging, *publication);
    settle(*publication, decided_for);
    publication->end();
  } else {
    util::log::debug("removing " + util::quote(staging.string()) + ", left by a build that was killed");
  }
  sys::remove_tree(staging, sys::Cancellation());
}

[[noreturn]] void refuse(const fs::path& path, const std::string& reason) {
  throw util::Error("cannot export to " + util::quote(path.parent_path().string()) + ": " +
                    util::quote(path.string()) + " " + reason + " and would be replaced; move it away");
}

// A target's name may be that of a source directory, with an 'image' or 'rootfs' of its own in it.
void check_replaceable(const fs::path& directory) {
  for (const auto name : output_names) {
    const auto path = directory / name;
    const auto status = sys::find_status(path, sys::Links::kept);
    if (!status) continue;
    if (name == "image" || name == "rootfs") {
      if (!S_ISDIR(status->st_mode)) refuse(path, "is not a directory");
      const auto proof = name == "image" ? path / "oci-layout" : directory / "metadata.json";
      if (!sys::entries_of(path).empty() && !sys::is_there(proof)) refuse(path, "was not made by a build");
    } else if (S_ISDIR(status->st_mode)) {
      refuse(path, "is a directory");
    }
  }
}

}  // namespace

void recover(const fs::path& directory) {
  for (const auto& entry : sys::entries_of(directory)) {
    if (!is_staging(entry)) continue;
    // Unlocked it is of no build that runs.
    if (const auto lock = lock_directory(entry)) recover_one(entry);
  }
}

void recover_all(const fs::path& parent) {
  for (const auto& entry : sys::readable_entries_of(parent)) {
    struct stat status {};
    if (::lstat(entry.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) continue;
    try {
      recover(entry);
    } catch (const util::Error& error) {
      util::log::warning(error.what());
    }
  }
}

fs::path Outputs::stage(const fs::path& directory) {
  auto canonical = util::with_context("cannot export to " + util::quote(directory.string()),
                                      [&] { return sys::resolved_path(directory); });
  if (std::any_of(staged_.begin(), staged_.end(),
                  [&](const Staged& s) { return s.canonical == canonical; })) {
    throw util::Error("two targets would be exported to " + util::quote(directory.string()));
  }
  recover(directory);
  check_replaceable(directory);
  sys::TempDir staging(directory, std::string(staging_prefix));
  auto lock = lock_directory(staging.path());
  staged_.push_back({directory, std::move(canonical), std::move(lock), std::move(staging)});
  return staged_.back().staging.path();
}

// The first directory leads. Paths are relative, so that they hold wherever the next build finds them.
std::vector<Publication> Outputs::begin() const {
  const auto staging_from = [](const Staged& from, const Staged& other) {
    return (other.canonical / other.staging.path().filename()).lexically_relative(from.canonical);
  };
  std::vector<Publication> publications;
  std::vector<fs::path> followers;
  for (const auto& staged : staged_) {
    if (&staged != &staged_.front()) followers.push_back(staging_from(staged_.front(), staged));
  }
  for (const auto& staged : staged_) {
    const bool leads = &staged == &staged_.front();
    publications.emplace_back(staged.staging.path(),
                              leads ? std::nullopt : std::optional(staging_from(staged, staged_.front())),
                              leads ? followers : std::vector<fs::path>());
  }
  return publications;
}

void Outputs::keep_staging() noexcept {
  for (auto& staged : staged_)
    staged.staging.release();
}

void Outputs::publish() {
  if (staged_.empty()) return;
  auto publications = begin();
  try {
    for (auto& publication : publications)
      publication.exchange();
    sys::Cancellation().check();
    publications.front().commit();
  } catch (const util::Error&) {
    try {
      for (auto& publication : publications)
        publication.take_back();
      for (auto& publication : publications)
        publication.end();
    } catch (const util::Error& error) {
      util::log::warning(std::string(error.what()) + "; the next build will try again");
      keep_staging();
    }
    throw;
  }
  try {
    for (auto& publication : publications)
      publication.finish();
    // The leader last: the others ask it.
    for (auto publication = publications.rbegin(); publication != publications.rend(); ++publication)
      publication->end();
  } catch (const util::Error&) {
    keep_staging();
    throw;
  }
}

}  // namespace oci_build
