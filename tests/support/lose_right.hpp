// As in a container that has fewer rights than the test.
#pragma once

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/util/error.hpp"

namespace test {

// Takes one capability (CAP_*) from the calling thread, and from what it starts, for good. Throws
// util::Error.
inline void lose_right(int capability) {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0) util::throw_errno("cannot read the test's capabilities");
  data[CAP_TO_INDEX(capability)].effective &= ~CAP_TO_MASK(capability);
  data[CAP_TO_INDEX(capability)].permitted &= ~CAP_TO_MASK(capability);
  if (::syscall(SYS_capset, &header, data) != 0) util::throw_errno("the test keeps a capability");
}

}  // namespace test
