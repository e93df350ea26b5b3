// The process that lends rights (lent_rights.hpp).
#pragma once

namespace sandbox {

// Serves the requests that come from `requests`, a socket, until nobody can send any: called in a process of
// root's that is in the step's root, under its filters, with the capabilities that steps have, and that has
// no other descriptor. Touches no heap.
[[noreturn]] void run_lender(int requests) noexcept;

}  // namespace sandbox
