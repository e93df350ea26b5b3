// What the child's side of the sandbox reports when it cannot go on. Part of the starter, too, which has
// nothing else of the project.
#pragma once

namespace sandbox {

// Which step failed with which errno.
struct Failure {
  enum class Step {
    root,
    null_device,   // the machine's is missing or another device
    system,        // the filesystem that `index` names in ChildPlan::system cannot be made or hidden from
    no_directory,  // of `index` there: what the root has in its place is no directory
    mount,         // of `index` in ChildPlan::mounts
    mount_in_proc,
    lock,  // of the step's mounts
    network,
    identity,
    seccomp,
    working_dir,
    starter,
    exec
  };

  Step step = Step::root;
  int index = -1;
  int error = 0;
};

// The descriptor under which the starter finds the pipe for it.
inline constexpr int failure_fd = 3;

}  // namespace sandbox
