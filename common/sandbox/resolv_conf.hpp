// The /etc/resolv.conf that steps see.
#pragma once

#include <string>
#include <string_view>

namespace sandbox {

// Which nameservers a step is told of: those that any network reaches, or all that the machine has.
enum class Nameservers { reachable, all };

// This machine's resolv.conf, written anew; a stub resolver of systemd's gives way to the servers behind it.
std::string resolv_conf_for_steps(Nameservers nameservers);

// The rewriting, on the text of a resolv.conf, as BuildKit and Docker do it: nameservers on the loopback
// address are left out of the reachable ones, and public ones put in where none is left; comments go, the
// last "search" and all "options" stay.
std::string rewrite_resolv_conf(std::string_view text, Nameservers nameservers);

}  // namespace sandbox
