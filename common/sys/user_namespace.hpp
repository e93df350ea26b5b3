// User namespaces, for who may not mount where he is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sys {

// One line of a uid_map or gid_map: `count` ids from `inside` on are those from `outside` on further out.
struct IdRange {
  std::uint64_t inside = 0;
  std::uint64_t outside = 0;
  std::uint64_t count = 0;

  friend bool operator==(const IdRange&, const IdRange&) = default;
};

// The text of /proc/PID/uid_map. What is no line of three numbers is left out.
std::vector<IdRange> parse_id_map(std::string_view text);

// The ranges that a line "NAME:FIRST:COUNT" of /etc/subuid or /etc/subgid gives to a user, who is known by
// his name and by his number.
std::vector<IdRange> subordinate_ids(std::string_view text, std::string_view user, std::uint64_t uid);

// Moves this process to a user namespace of its own in which it is root, with all ids that it can have there:
// root keeps each id that this namespace maps, in ranges as they are mapped here (the kernel takes none that
// spans two); another user becomes root, with the ids of /etc/subuid and /etc/subgid from 1 on, which
// newuidmap(1) and newgidmap(1) map. What was started before stays outside. Called while there are no other
// threads. Throws util::Error with the reason, and what would help, where that is refused or comes to a
// single id; the process is then in no state to go on, so that it is tried in another one first (see
// why_not).
void enter_user_namespace();

}  // namespace sys
