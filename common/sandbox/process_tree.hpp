// Who descends from whom among the processes of this machine. Nothing here allocates, locks or throws: the
// process that ends a step's others is a clone of one with threads.
#pragma once

#include <dirent.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace sandbox {

// The number that a name is; -1 for what is none.
int number_of(const char* name) noexcept;

// Calls `visit` with each entry of an open directory whose name is a number. False with errno.
template <typename Visit>
bool for_each_number(int directory, Visit&& visit) noexcept {
  alignas(dirent64) char buffer[4096];
  for (;;) {
    const long size = ::syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (size <= 0) return size == 0;
    for (long at = 0; at < size;) {
      const auto* const entry = reinterpret_cast<const dirent64*>(buffer + at);
      at += entry->d_reclen;
      if (const int number = number_of(entry->d_name); number >= 0) visit(number);
    }
  }
}

// A descriptor of /proc; -1 with errno.
int open_processes() noexcept;

// 0 for one that is not there, and for one of another process namespace.
pid_t parent_of(pid_t process) noexcept;

// Whether it is a child of `ancestor`, or a child of one, and so on.
bool descends_from(pid_t process, pid_t ancestor) noexcept;

// Calls `visit` with each process that descends from `ancestor`.
template <typename Visit>
void for_each_descendant(pid_t ancestor, Visit&& visit) noexcept {
  const int directory = open_processes();
  if (directory < 0) return;
  for_each_number(directory, [&](int process) {
    if (process != ancestor && descends_from(process, ancestor)) visit(process);
  });
  ::close(directory);
}

// Kills and reaps all that descend from this process, which adopts orphans (PR_SET_CHILD_SUBREAPER).
void end_descendants() noexcept;

}  // namespace sandbox
