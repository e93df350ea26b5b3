// Who answers for the names of hosts and users.
#pragma once

namespace sys {

// In a program that is linked statically: names come from /etc/hosts, DNS and /etc/passwd alone, whatever
// /etc/nsswitch.conf says. Its other services are libraries, which fit one libc and not the one in such a
// program. Does nothing in other programs. To be called before the first look-up and the first thread.
void use_own_name_services();

}  // namespace sys
