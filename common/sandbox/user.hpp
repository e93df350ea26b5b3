// Who a step runs as: USER's words looked up in the step's own /etc/passwd and /etc/group.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/rooted_dir.hpp"

namespace sandbox {

struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups = {};  // supplementary; the primary gid is always among them
  std::string home = {};                   // "/" for one that passwd does not know
};

// `spec` is "", "NAME", "UID", "NAME:GROUP", "UID:GID" or a mix; what follows a second colon is passed over.
// A number is always an id, whatever a file calls so. Nothing = 0:0 with root's supplementary groups; two
// numbers are taken as they are; a name or a bare uid gets the groups that list it; an explicit group is the
// only one. Throws util::Error in BuildKit's words for a name that is not there and for a number beyond
// 2147483647 where a file is asked. Files that are missing hold nothing; ids in them that are too large for
// the kernel stay so, and no process can become such a user.
User resolve_user(sys::RootedDir& root, const std::string& spec);

// The same lookup as --chown does it: a user that is not there is 0, a group that is not there the user's; a
// bare number is also the gid. An id that is too large for the kernel changes no owner. Throws util::Error
// for a file that is no regular one.
struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};
Owner resolve_owner(sys::RootedDir& root, const std::string& spec);

// True if the user or the group is no number, so that files must be asked for it.
bool names_owner(const std::string& spec);

}  // namespace sandbox
