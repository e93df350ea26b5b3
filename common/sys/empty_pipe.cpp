// Pipelines of which a part has failed.
#include "common/sys/empty_pipe.hpp"

#include <sys/stat.h>

#include "common/util/error.hpp"

namespace sys {

void check_for_empty_pipe(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode)) throw util::Error("");
}

}  // namespace sys
