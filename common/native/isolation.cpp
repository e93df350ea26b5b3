// The first child of a build.
#include "common/native/isolation.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <sstream>

#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/process_namespace.hpp"
#include "common/sys/trial.hpp"

namespace native {
namespace {

namespace fs = std::filesystem;

// A seccomp filter may answer with either.
bool is_refused(int error) {
  return error == EPERM || error == ENOSYS;
}

void enter_private_mounts() {
  if (sys::enter_private_mounts()) return;
  throw util::Error(::geteuid() == 0 ? "this container may not mount anything" : "it needs root here");
}

// The others of a step, so that a refusal shows before anything runs.
void enter_other_namespaces() {
  if (::unshare(CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) == 0) return;
  if (is_refused(errno)) throw util::Error("this container may not make namespaces");
  throw sys::unshare_error("namespaces");
}

// On any directory: nobody looks at it while it is there.
void try_to_mount_proc(const fs::path& target) {
  if (::mount("proc", target.c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    if (is_refused(errno)) throw util::Error("this container may not mount a /proc of its own");
    util::throw_errno("cannot mount /proc");
  }
  ::umount2(target.c_str(), MNT_DETACH);
}

// One that is mapped here beside `own`; nothing in a user namespace of one id.
std::optional<id_t> other_id(const char* map, id_t own) {
  std::istringstream ranges(sys::read_file(map));
  std::uint64_t begin = 0;
  std::uint64_t outside = 0;
  std::uint64_t count = 0;
  while (ranges >> begin >> outside >> count) {
    for (const auto id : {begin, begin + 1}) {
      if (id < begin + count && id != own) return static_cast<id_t>(id);
    }
  }
  return std::nullopt;
}

// What every step does before its program, as the child does it (sandbox::become_user), to another user.
void try_to_change_user() {
  const auto uid = other_id("/proc/self/uid_map", ::getuid());
  const auto gid = other_id("/proc/self/gid_map", ::getgid());
  if (!uid || !gid) {
    throw CannotRun(
        "the user namespace around it maps one id alone, and steps and the files of images need others");
  }
  const auto obstacle = sys::why_not([&] {
    if (::syscall(SYS_setgroups, 1, &*gid) != 0 || ::syscall(SYS_setresgid, *gid, *gid, *gid) != 0 ||
        ::syscall(SYS_setresuid, *uid, *uid, *uid) != 0) {
      util::throw_errno("this container may not change users");
    }
  });
  if (obstacle) throw CannotRun(*obstacle);
}

}  // namespace

Isolation enter_namespaces(const fs::path& work_dir, Work work) {
  // First: in a user namespace nobody comes back from a process namespace.
  // Who is not root has no right to anything below.
  if (work == Work::steps && ::geteuid() == 0) try_to_change_user();
  std::optional<Isolation> isolation;
  const auto obstacle = sys::enter_process_namespace([&] {
    enter_private_mounts();
    sys::WorkDir directory(work_dir, "native-");
    const auto path = directory.path();
    if (work == Work::steps) {
      enter_other_namespaces();
      try_to_mount_proc(path);
    }
    const auto snapshots = path / "snapshots";
    sys::make_directory(snapshots, 0700);
    auto snapshotter = snapshot::make_overlay(
        snapshots, work == Work::steps ? snapshot::Probe::now : snapshot::Probe::when_used);
    isolation.emplace(
        Isolation{std::move(directory), std::move(snapshotter), sandbox::make_namespaces(path)});
  });
  if (obstacle) throw CannotRun(obstacle->what(), obstacle->cause());
  return std::move(*isolation);
}

}  // namespace native
