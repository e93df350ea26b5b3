// Capabilities by the bare system calls.
#include "common/sandbox/capabilities.hpp"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/util/error.hpp"

namespace sandbox {

std::uint64_t default_capabilities() {
  std::uint64_t set = 0;
  for (const int capability :
       {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FSETID, CAP_FOWNER, CAP_MKNOD, CAP_NET_RAW, CAP_SETGID, CAP_SETUID,
        CAP_SETFCAP, CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL, CAP_AUDIT_WRITE}) {
    set |= std::uint64_t{1} << capability;
  }
  return set;
}

std::uint64_t own_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(SYS_capget, &header, data) != 0) util::throw_errno("cannot read our capabilities");
  return std::uint64_t{data[1].permitted} << 32 | data[0].permitted;
}

}  // namespace sandbox
