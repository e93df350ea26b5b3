// libc's way to go without nsswitch.conf.
#include "common/sys/names.hpp"

#ifdef OCI_BUILD_STATIC
#include <nss.h>

#include <cassert>
#include <utility>
#endif

namespace sys {

void use_own_name_services() {
#ifdef OCI_BUILD_STATIC
  // Both are part of libc itself since 2.34.
  for (const auto& [database, services] :
       {std::pair{"hosts", "files dns"}, {"passwd", "files"}, {"group", "files"}}) {
    [[maybe_unused]] const int result = ::__nss_configure_lookup(database, services);
    assert(result == 0);
  }
#endif
}

}  // namespace sys
