// Does once, in a child, what every build does.
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>

#include "common/native/engine.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/sys/trial.hpp"
#include "common/util/error.hpp"

namespace native {
namespace {

// A seccomp filter may answer with either.
bool is_refused(int error) {
  return error == EPERM || error == ENOSYS;
}

void enter_namespaces() {
  if (!sys::enter_private_mounts()) {
    throw util::Error(::geteuid() == 0 ? "this container may not mount anything" : "it needs root here");
  }
  if (::unshare(CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) == 0) return;
  if (is_refused(errno)) throw util::Error("this container may not make namespaces");
  util::throw_errno("cannot make namespaces");
}

// In the process after the one that entered the namespaces: that one keeps its old process ids.
void mount_proc(const std::filesystem::path& target) {
  if (::mount("proc", target.c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0) return;
  if (is_refused(errno)) throw util::Error("this container may not mount a /proc of its own");
  util::throw_errno("cannot mount /proc");
}

}  // namespace

std::optional<std::string> obstacle(const std::filesystem::path& directory) {
  // Removed by this process, whatever becomes of the child.
  const sys::TempDir scratch(directory, "trial-");
  return sys::why_not([&] {
    enter_namespaces();
    sandbox::make_namespaces(scratch.path());
    snapshot::make_overlay(scratch.path());
    if (const auto reason = sys::why_not([&] { mount_proc(scratch.path()); })) throw util::Error(*reason);
  });
}

}  // namespace native
