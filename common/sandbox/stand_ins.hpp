// What takes the place of mounts where nobody may mount.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/sandbox/mount_table.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/rooted_dir.hpp"

namespace sandbox {

// Directories and files that lie in the root of a step while it runs. What was there before waits elsewhere.
// Afterwards the root is as without them: modification times of the directories that hold them included, and
// whatever the step has done to them. What waited is never lost: where the step has removed the directory
// that it was in, that is made again; a stand-in that nobody can remove goes where it waited; and what cannot
// come back at all stays there, and the error says so.
class StandIns {
public:
  // `aside` is a private directory on the filesystem of `root`.
  StandIns(const std::filesystem::path& root, const std::filesystem::path& aside);
  StandIns(const StandIns&) = delete;
  StandIns& operator=(const StandIns&) = delete;
  // Puts back what nobody has.
  ~StandIns() { put_back_quietly(); }

  // Each throws StartError where nothing can lie at its target, util::Error for failures of the system.

  // /proc, /dev and /sys, with what those find there who look past the supervisor, and with the borrower.
  void put_system();
  // All of a step's own mounts, and its /etc/hosts and /etc/resolv.conf; those inside others after them.
  void put_mounts(const Spec& spec);

  // Where mounts lie in /proc and /sys: names there that are not the machine's for the step.
  const std::vector<std::string>& system_targets() const noexcept { return system_targets_; }

  // What put_mounts() has put, in that order.
  const std::vector<StepMount>& mounts() const noexcept { return mounts_; }

  // Puts back as much as it can. Throws the first util::Error then.
  void put_back();

  // The same; a failure is a warning.
  void put_back_quietly() noexcept;

  // Whether something is still aside that was in the root, so that it has to be kept.
  bool has_kept() const noexcept { return has_kept_; }

private:
  enum class Point { directory, file };

  struct StandIn {
    std::string path;  // relative to the root, as it was
    sys::UniqueFd parent{};
    std::string name = {};
    std::string covered = {};  // its name aside; empty = there was nothing
    struct stat status = {};   // of what is covered
    sys::UniqueFd secret{};    // emptied, wherever the step has moved it
    sys::UniqueFd cache{};     // gets back what is in there
    dev_t device = 0;          // of the cache
    ino_t inode = 0;
    bool is_copied = false;  // the cache still has it
  };

  // A place in the root that is free now, and what is to be known of it later.
  struct Place {
    sys::RootedDir root;
    sys::RootedPath path;
    StandIn& record;
  };

  void put_system_directory(const std::string& name, const std::string& type);
  void put_bind(const BindMount& bind, const sys::Cancellation& cancel);
  void lock_caches(const Spec& spec);
  void put_cache(const BindMount& bind, const struct stat& status, const sys::Cancellation& cancel);
  void put_file(const MemoryFile& file);
  void put_tmpfs(const TmpfsMount& tmpfs);
  Place clear(const std::string& target, Point point);
  Place cover(sys::RootedPath path);
  void put_back(StandIn& stand_in);
  void uncover(StandIn& stand_in);
  void remove(StandIn& stand_in, sys::RootedDir& parent);

  std::filesystem::path root_;
  std::filesystem::path aside_;
  struct Cache {
    sys::UniqueFd directory{};  // locked; empty once it has a place
    std::string place = {};     // the first that it has
  };
  std::map<std::pair<dev_t, ino_t>, Cache> caches_;
  std::list<StandIn> stand_ins_;
  std::vector<std::string> system_targets_;
  std::vector<StepMount> mounts_;
  bool has_kept_ = false;
};

}  // namespace sandbox
