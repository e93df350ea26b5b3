// Says whose rights it has and what it was started with, then becomes that user for good and executes its
// arguments, if it has any: what sudo does. Its file gives it the rights. Linked statically, as it runs in
// roots that have no libraries.
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

int main(int argc, char** argv) {
  uid_t uids[3];
  gid_t gids[3];
  gid_t groups[64];
  ::getresuid(&uids[0], &uids[1], &uids[2]);
  ::getresgid(&gids[0], &gids[1], &gids[2]);
  std::printf("users %u %u %u, groups %u %u %u and", uids[0], uids[1], uids[2], gids[0], gids[1], gids[2]);
  const int count = ::getgroups(64, groups);
  for (int i = 0; i < count; ++i)
    std::printf(" %u", groups[i]);
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2]{};
  ::syscall(SYS_capget, &header, data);
  std::printf("\ncapabilities %08x %08x, secure %lu, told %lu %lu %lu %lu\n", data[0].permitted,
              data[0].effective, ::getauxval(AT_SECURE), ::getauxval(AT_UID), ::getauxval(AT_EUID),
              ::getauxval(AT_GID), ::getauxval(AT_EGID));
  const mode_t umask = ::umask(0);
  ::umask(umask);
  char directory[PATH_MAX];
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  sigset_t blocked;
  ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
  struct sigaction hangup {};
  ::sigaction(SIGHUP, nullptr, &hangup);
  std::printf("umask %o, directory %s, files %lu, WORD %s, %s and %s\n", umask,
              ::getcwd(directory, sizeof directory), static_cast<unsigned long>(files.rlim_cur),
              ::getenv("WORD") != nullptr ? ::getenv("WORD") : "none",
              ::sigismember(&blocked, SIGCHLD) != 0 ? "deaf" : "all ears",
              hangup.sa_handler == SIG_IGN ? "detached" : "attached");
  std::printf("open");
  for (int fd = 0; fd < 300; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) std::printf(" %d", fd);
  }
  std::printf("\narguments");
  for (int i = 0; i < argc; ++i)
    std::printf(" %s", argv[i]);
  std::printf("\n");
  std::fflush(stdout);
  if (argc < 2) return 0;
  if (::setresgid(gids[1], gids[1], gids[1]) != 0 || ::setresuid(uids[1], uids[1], uids[1]) != 0) return 125;
  ::execvp(argv[1], argv + 1);
  std::printf("%s\n", std::strerror(errno));
  return 124;
}
