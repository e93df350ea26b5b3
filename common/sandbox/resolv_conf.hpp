// The /etc/resolv.conf that steps see.
#pragma once

#include <string>
#include <string_view>

namespace sandbox {

// This machine's, for a step that shares its network. For others nameservers on the loopback address, which
// they cannot reach, are left out, and public ones put in where none is left, as BuildKit and Docker do.
std::string resolv_conf_for_steps(bool host_network);

// The filter behind it, on the text of a resolv.conf.
std::string without_local_nameservers(std::string_view text);

}  // namespace sandbox
