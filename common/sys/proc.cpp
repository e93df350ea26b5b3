// /proc, and the ways through it.
#include "common/sys/proc.hpp"

#include <unistd.h>

#include "common/util/error.hpp"

namespace sys {

void require_proc() {
  if (::access("/proc/self/fd", X_OK) == 0) return;
  throw util::Error("/proc is not mounted here, and files are reached through it: mount -t proc proc /proc");
}

std::string link_of(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

}  // namespace sys
