// Descendants that lost their parent.
#include "common/sys/orphans.hpp"

#include <gtest/gtest.h>

#include <array>

#include "common/sys/fd.hpp"
#include "common/sys/process.hpp"
#include "tests/support/in_child.hpp"

namespace {

TEST(Orphans, AreKilledWithTheirOwnChildren) {
  auto alive = sys::make_pipe();
  EXPECT_EQ(test::in_child([&] {
              sys::adopt_orphans();
              // The outer shell ends at once and leaves one that has left its session and ignores SIGTERM.
              sys::Command command = {
                  .argv = {"sh", "-c", "setsid sh -c 'trap \"\" TERM; sleep 60; sleep 60' & exit 0"}};
              command.stdout_fd = alive.write_end.get();
              if (!sys::start(command).wait().success()) return 1;
              sys::kill_children();
              return 0;
            }),
            0);
  alive.write_end = sys::UniqueFd();
  // The end of the pipe: nobody is left who could write to it.
  std::array<std::byte, 1> buffer;
  EXPECT_EQ(sys::read_some(alive.read_end.get(), buffer, "the orphans"), 0U);
}

TEST(Orphans, MayBeNone) {
  EXPECT_NO_THROW(sys::kill_children());
}

}  // namespace
