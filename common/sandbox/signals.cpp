#include "common/sandbox/signals.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "common/sandbox/process_tree.hpp"

namespace sandbox {

Answer answer_signal(pid_t thread, const std::uint64_t* arguments, const SupervisedRoot& root) {
  const auto target = static_cast<pid_t>(arguments[0]);
  const auto number = static_cast<int>(arguments[1]);
  if (target == 0 || (target > 0 && root.has(target))) return {.kind = Answer::Kind::from_root};
  if (target > 0) return {.error = ESRCH};
  const auto rights = rights_of(thread);
  if (!rights) return {.error = ESRCH};
  bool found = false;
  for_each_descendant(root.keeper, [&](pid_t process) {
    if (process == root.lender) return;
    if (target != -1) {
      found = found || ::getpgid(process) == -target;
      return;
    }
    const auto other = process != rights->process ? rights_of(process) : std::nullopt;
    if (other && (rights->uid == 0 || rights->uid == other->uid))
      found = ::kill(process, number) == 0 || found;
  });
  if (!found) return {.error = ESRCH};
  return target == -1 ? Answer{} : Answer{.kind = Answer::Kind::from_root};
}

}  // namespace sandbox
