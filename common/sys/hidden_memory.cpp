// The flag of prctl(2).
#include "common/sys/hidden_memory.hpp"

#include <sys/prctl.h>

namespace sys {

void hide_memory() noexcept {
  ::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace sys
