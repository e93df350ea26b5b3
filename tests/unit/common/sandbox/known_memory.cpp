// Memory of processes that nobody may open any more.
#include "common/sandbox/known_memory.hpp"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/support/in_child.hpp"
#include "tests/support/lose_right.hpp"

namespace sandbox {
namespace {

TEST(KnownMemory, CanStillBeReadWhenItsProcessHasChangedItsUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "another user's process needs root";
  EXPECT_EQ(test::in_child([] {
              static char path[] = "/dev/null";
              int go[2];
              int done[2];
              if (::pipe(go) != 0 || ::pipe(done) != 0) return 1;
              ::prctl(PR_SET_DUMPABLE, 1);  // whatever other tests have made of it
              // As in a task: with the right to read every process there is nothing to see here.
              test::lose_right(CAP_SYS_PTRACE);
              const pid_t process = ::fork();
              if (process == 0) {
                char byte;
                if (::read(go[0], &byte, 1) != 1) ::_exit(1);
                path[1] = 'x';
                ::prctl(PR_SET_DUMPABLE, 0);
                [[maybe_unused]] const auto ignored = ::write(done[1], "", 1);
                ::pause();
                ::_exit(1);
              }
              const auto address = reinterpret_cast<std::uint64_t>(path);
              std::string text;
              KnownMemory known({});
              const bool first = known.read_path(process, address, text) != nullptr && text == "/dev/null";
              char byte;
              const bool changed = ::write(go[1], "", 1) == 1 && ::read(done[0], &byte, 1) == 1;
              const bool second = known.read_path(process, address, text) != nullptr && text == "/xev/null";
              const bool is_closed = KnownMemory({}).read_path(process, address, text) == nullptr;
              ::kill(process, SIGKILL);
              ::waitpid(process, nullptr, 0);
              const bool gone = known.read_path(process, address, text) == nullptr;
              return first && changed && second && is_closed && gone
                         ? 0
                         : 10 + first + 2 * changed + 4 * second + 8 * is_closed + 16 * gone;
            }),
            0);
}

}  // namespace
}  // namespace sandbox
