#include "common/sandbox/insecure_devices.hpp"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "common/sys/fd.hpp"

namespace sandbox {
namespace {

// 0 where nobody can say.
int first_free_loop() {
  const sys::UniqueFd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  return control ? std::max(::ioctl(control.get(), LOOP_CTL_GET_FREE), 0) : 0;
}

}  // namespace

std::vector<DeviceNode> insecure_devices() {
  constexpr unsigned misc = 10;
  constexpr unsigned loop = 7;
  std::vector<DeviceNode> nodes = {
      {"kmsg", S_IFCHR, ::makedev(1, 11)},        {"cuse", S_IFCHR, ::makedev(misc, 203)},
      {"fuse", S_IFCHR, ::makedev(misc, 229)},    {"kvm", S_IFCHR, ::makedev(misc, 232)},
      {"net/tun", S_IFCHR, ::makedev(misc, 200)}, {"loop-control", S_IFCHR, ::makedev(misc, 237)},
  };
  const auto last = static_cast<unsigned>(first_free_loop()) + 7;
  for (unsigned i = 0; i <= last; ++i)
    nodes.push_back({"loop" + std::to_string(i), S_IFBLK, ::makedev(loop, i)});
  return nodes;
}

}  // namespace sandbox
