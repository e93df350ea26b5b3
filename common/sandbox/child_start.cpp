// What a step's process does in every isolation.
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include "common/sandbox/child_steps.hpp"
#include "common/sandbox/process_tree.hpp"

namespace sandbox {
namespace {

// Makes what a mount hides of the way to the working directory, in the mount: there it is nobody's in
// particular.
bool make_working_dir(const ChildPlan& plan) noexcept {
  char path[PATH_MAX];
  const auto length = plan.working_dir.size();
  if (length >= sizeof path) return false;
  ::memcpy(path, plan.working_dir.c_str(), length + 1);
  for (std::size_t i = 1; i <= length; ++i) {
    if (path[i] != '/' && path[i] != '\0') continue;
    const char end = path[i];
    path[i] = '\0';
    if (::mkdir(path, 0755) != 0 && errno != EEXIST) return false;
    path[i] = end;
  }
  return true;
}

}  // namespace

void begin_process() noexcept {
  for (int signal = 1; signal < NSIG; ++signal)
    ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setsid();
}

bool close_descriptors(unsigned first, unsigned last) noexcept {
  if (first > last || ::syscall(SYS_close_range, first, last, 0U) == 0) return true;
  if (errno != ENOSYS && errno != EPERM) return false;
  // Sandboxes of older workers know no such call.
  const int directory = ::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  const bool listed = for_each_number(directory, [&](int fd) {
    const auto number = static_cast<unsigned>(fd);
    if (number >= first && number <= last && fd != directory) ::close(fd);
  });
  ::close(directory);
  return listed;
}

void limit_process() noexcept {
  // No core file in a layer unless the step asks for one.
  rlimit core{};
  ::getrlimit(RLIMIT_CORE, &core);
  core.rlim_cur = 0;
  ::setrlimit(RLIMIT_CORE, &core);

  ::umask(022);
}

void apply_seccomp(const ChildPlan& plan) noexcept {
  if (plan.seccomp.empty()) return;
  const sock_fprog program{.len = static_cast<unsigned short>(plan.seccomp.size()),
                           .filter = const_cast<sock_filter*>(plan.seccomp.data())};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) fail(plan, Failure::Step::seccomp);
}

// A directory that is not below the root has no name in it.
bool enter_working_dir(const ChildPlan& plan) noexcept {
  if (::chdir(plan.working_dir.c_str()) != 0) {
    if (errno != ENOENT || !make_working_dir(plan) || ::chdir(plan.working_dir.c_str()) != 0) return false;
  }
  char name[PATH_MAX];
  const long length = ::syscall(SYS_getcwd, name, sizeof name);
  if (length < 0 && errno == ERANGE) return true;  // deep below, but below
  if (length > 0 && name[0] == '/') return true;
  errno = ENOENT;
  fail(plan, Failure::Step::working_dir);
}

}  // namespace sandbox
