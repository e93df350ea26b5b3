// Whose rights the step has.
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "common/sandbox/child_steps.hpp"

namespace sandbox {

void become_user(const ChildPlan& plan) noexcept {
  using enum Failure::Step;
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if ((plan.capabilities >> capability & 1) == 0 && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 &&
        errno != EINVAL) {
      fail(plan, identity);
    }
  }
  if (plan.ambient && ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) fail(plan, identity);
  // The libc functions would wait for threads that this process does not have.
  if (::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) != 0 ||
      ::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) != 0 ||
      ::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) != 0) {
    fail(plan, identity);
  }
  // Of a user who is not root the kernel has just taken all but the inheritable ones, which a task's engine
  // has and a file could give back.
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2]{};
  for (int half = 0; half < 2; ++half) {
    if (plan.uid != 0 && !plan.ambient) break;
    data[half].effective = data[half].permitted =
        static_cast<std::uint32_t>(plan.capabilities >> (32 * half));
    if (plan.ambient) data[half].inheritable = data[half].permitted;
  }
  if (::syscall(SYS_capset, &header, data) != 0) fail(plan, identity);
  for (int capability = 0; plan.ambient && capability <= CAP_LAST_CAP; ++capability) {
    if ((plan.capabilities >> capability & 1) != 0 &&
        ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0 && errno != EINVAL) {
      fail(plan, identity);
    }
  }
}

}  // namespace sandbox
