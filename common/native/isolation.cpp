// The first child of a build.
#include "common/native/isolation.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include "common/sys/device_marks.hpp"
#include "common/sys/file.hpp"
#include "common/sys/file_facts.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/process_namespace.hpp"
#include "common/sys/trial.hpp"
#include "common/sys/user_namespace.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace native {
namespace {

namespace fs = std::filesystem;
using document::IsolationChoice;

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
  for (const auto& range : sys::parse_id_map(sys::read_file(map))) {
    for (const auto id : {range.inside, range.inside + 1}) {
      if (id < range.inside + range.count && id != own) return static_cast<id_t>(id);
    }
  }
  return std::nullopt;
}

// What every step does before its program, as the child does it (sandbox::become_user), to another user.
void change_user() {
  const auto uid = other_id("/proc/self/uid_map", ::getuid());
  const auto gid = other_id("/proc/self/gid_map", ::getgid());
  if (!uid || !gid) {
    throw util::Error(
        "the user namespace around it maps one id alone, and steps and the files of images need others");
  }
  if (::syscall(SYS_setgroups, 1, &*gid) != 0 || ::syscall(SYS_setresgid, *gid, *gid, *gid) != 0 ||
      ::syscall(SYS_setresuid, *uid, *uid, *uid) != 0) {
    util::throw_errno("this container may not change users");
  }
}

void try_to_change_user() {
  if (const auto obstacle = sys::why_not(change_user)) throw CannotRun(*obstacle);
}

constexpr const char* snapshots = "snapshots";

// Private, with one for snapshots in it.
sys::WorkDir make_directory(const fs::path& work_dir) try {
  sys::WorkDir directory(work_dir, "native-");
  sys::make_directory(directory.path() / snapshots, 0700);
  return directory;
} catch (const util::Error& error) {
  throw CannotRun(error.what(), error.cause());
}

// Where overlays do not work, as on an overlay: whoever has a user namespace of his own has no other way.
std::unique_ptr<snapshot::Snapshotter> make_snapshotter(const fs::path& directory, Work work,
                                                        IsolationChoice kind) try {
  return snapshot::make_overlay(directory,
                                work == Work::steps ? snapshot::Probe::now : snapshot::Probe::when_used);
} catch (const util::Error& error) {
  if (kind != IsolationChoice::userns) throw;
  util::log::debug("the files of steps are copied: " + std::string(error.what()));
  return snapshot::make_plain(directory);
}

// In a private directory, which is made where the mounts are.
void prepare_namespaces(const fs::path& work_dir, Work work, std::optional<Isolation>& isolation,
                        IsolationChoice kind) {
  enter_private_mounts();
  auto directory = make_directory(work_dir);
  const auto path = directory.path();
  if (work == Work::steps) {
    enter_other_namespaces();
    try_to_mount_proc(path);
  }
  auto snapshotter = make_snapshotter(path / snapshots, work, kind);
  isolation.emplace(
      Isolation{kind, std::move(directory), std::move(snapshotter), sandbox::make_namespaces(path)});
}

Isolation enter_namespaces(const fs::path& work_dir, Work work, IsolationChoice kind) {
  // First: in a user namespace nobody comes back from a process namespace.
  // Who is not root has no right to anything below.
  if (work == Work::steps && ::geteuid() == 0) try_to_change_user();
  std::optional<Isolation> isolation;
  const auto obstacle =
      sys::enter_process_namespace([&] { prepare_namespaces(work_dir, work, isolation, kind); });
  if (obstacle) throw CannotRun(obstacle->what(), obstacle->cause());
  return std::move(*isolation);
}

// A trial goes first: there is no way back out of a user namespace.
Isolation enter_user_namespace(const fs::path& work_dir) {
  const auto obstacle = sys::why_not([&] {
    sys::enter_user_namespace();
    enter_namespaces(work_dir, Work::steps, IsolationChoice::userns);
  });
  if (obstacle) throw CannotRun(*obstacle);
  sys::enter_user_namespace();
  return enter_namespaces(work_dir, Work::steps, IsolationChoice::userns);
}

// What fails for want of a disk or of memory fails in each isolation.
bool is_everywhere(const std::error_code& code) {
  for (const auto error : {ENOSPC, EDQUOT, EROFS, ENOENT, ENOTDIR, EIO, ENOMEM, EAGAIN, EMFILE, ENFILE}) {
    if (code == std::error_code(error, std::generic_category())) return true;
  }
  return false;
}

// Everything that a step does before its program.
void try_to_change_root(const fs::path& directory) {
  const auto obstacle = sys::why_not([&] {
    if (::chroot(directory.c_str()) == 0) return;
    const std::string what =
        ::geteuid() == 0 ? "this container may not change its root" : "it needs root here";
    if (is_refused(errno)) throw util::Error(what);
    util::throw_errno(what);
  });
  if (obstacle) throw CannotRun(*obstacle);
}

Isolation enter_chroot(const fs::path& work_dir) {
  try_to_change_root(work_dir);
  try_to_change_user();
  auto directory = make_directory(work_dir);
  auto snapshotter = snapshot::make_plain(directory.path() / snapshots);
  auto sandbox = sandbox::make_chroot(directory.path());
  return {IsolationChoice::chroot, std::move(directory), std::move(snapshotter), std::move(sandbox)};
}

// The least that would let steps run.
std::string advice() {
  if (::geteuid() == 0) {
    return "set 'privileged: true' on the task, or give the container the capabilities that containers have "
           "by "
           "default";
  }
  return "run it as root (on Concourse 'user: root' of the task's run, in Kubernetes 'runAsUser: 0' with the "
         "capabilities that pods have by default), or in a shell install the package uidmap";
}

// No right is needed: what the kernel refuses is kept in memory.
Isolation enter_copies(const fs::path& work_dir, const std::string& refusal) {
  auto directory = make_directory(work_dir);
  auto snapshotter = snapshot::make_plain(directory.path() / snapshots);
  sys::FileFacts::keep_for_process();
  return {IsolationChoice::copies, std::move(directory), std::move(snapshotter), sandbox::make_none(refusal)};
}

Isolation enter(IsolationChoice kind, const fs::path& work_dir, Work work) {
  switch (kind) {
    case IsolationChoice::namespaces:
      return enter_namespaces(work_dir, work, kind);
    case IsolationChoice::userns:
      return enter_user_namespace(work_dir);
    case IsolationChoice::copies:
      return enter_copies(work_dir, "ISOLATION=copies runs no step; leave it out");
    case IsolationChoice::chroot:
      return enter_chroot(work_dir);
    case IsolationChoice::automatic:
      break;
  }
  throw util::Error("no such isolation");
}

// Those that are worth a trial, before `copies`, which works everywhere.
std::vector<IsolationChoice> candidates(Work work) {
  if (work == Work::copies) return {IsolationChoice::namespaces};
  return {IsolationChoice::namespaces, IsolationChoice::userns, IsolationChoice::chroot};
}

}  // namespace

Isolation enter_isolation(const fs::path& work_dir, Work work, IsolationChoice wanted) {
  // Namespaces of users and tasks keep even root from making devices.
  sys::DeviceMarks::keep_for_process();
  if (wanted != IsolationChoice::automatic) return enter(wanted, work_dir, work);
  std::vector<PassedOver> passed_over;
  for (const auto kind : candidates(work)) {
    try {
      auto isolation = enter(kind, work_dir, work);
      isolation.passed_over = std::move(passed_over);
      return isolation;
    } catch (const CannotRun& error) {
      if (is_everywhere(error.cause().code)) throw;
      passed_over.push_back({kind, error.what()});
    }
  }
  auto isolation =
      enter_copies(work_dir, "no step can run here (" + describe(passed_over) + "); " + advice());
  isolation.passed_over = std::move(passed_over);
  return isolation;
}

std::string describe(const std::vector<PassedOver>& passed_over) {
  std::vector<std::string> parts;
  for (const auto& [isolation, reason] : passed_over)
    parts.push_back("not " + std::string(to_string(isolation)) + ": " + reason);
  return util::join(parts, "; ");
}

}  // namespace native
