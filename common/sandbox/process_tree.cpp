// By /proc/PID/stat: not every kernel lists the children of a process.
#include "common/sandbox/process_tree.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace sandbox {
namespace {

// "/proc/PID/stat", as sprintf is none of the functions that a clone may call.
void name_stat(char* path, pid_t process) noexcept {
  char digits[16];
  int count = 0;
  do
    digits[count++] = static_cast<char>('0' + process % 10);
  while ((process /= 10) != 0);
  std::strcpy(path, "/proc/");
  char* end = path + 6;
  while (count > 0)
    *end++ = digits[--count];
  std::strcpy(end, "/stat");
}

}  // namespace

int number_of(const char* name) noexcept {
  if (*name == '\0') return -1;
  int number = 0;
  for (; *name != '\0'; ++name) {
    if (*name < '0' || *name > '9' || number > 100'000'000) return -1;
    number = 10 * number + (*name - '0');
  }
  return number;
}

int open_processes() noexcept {
  return ::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

pid_t parent_of(pid_t process) noexcept {
  char path[40];
  name_stat(path, process);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[256];
  const ssize_t size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (size <= 0) return 0;
  text[size] = '\0';
  // "PID (NAME) STATE PPID ...", where NAME may hold anything, parentheses too.
  const char* at = std::strrchr(text, ')');
  if (at == nullptr || std::strlen(at) < 5) return 0;
  pid_t parent = 0;
  for (at += 4; *at >= '0' && *at <= '9'; ++at)
    parent = 10 * parent + (*at - '0');
  return parent;
}

bool descends_from(pid_t process, pid_t ancestor) noexcept {
  // Parents may end while they are asked for; no tree is as high.
  for (int height = 0; process > 1 && height < 100'000; ++height) {
    process = parent_of(process);
    if (process == ancestor) return true;
  }
  return false;
}

void end_descendants() noexcept {
  const pid_t self = static_cast<pid_t>(::syscall(SYS_getpid));
  for (;;) {
    pid_t reaped = 0;
    while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) {}
    if (reaped < 0 && errno == ECHILD) return;
    for_each_descendant(self, [](pid_t process) { ::kill(process, SIGKILL); });
    ::poll(nullptr, 0, 1);
  }
}

}  // namespace sandbox
