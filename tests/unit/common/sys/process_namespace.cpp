#include "common/sys/process_namespace.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util/error.hpp"
#include "tests/support/in_child.hpp"

namespace {

class ProcessNamespace : public testing::Test {
protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "making a process namespace needs root";
  }
};

TEST_F(ProcessNamespace, GoesOnInAChildThatIsProcessOne) {
  EXPECT_EQ(test::in_child([] {
              sys::cancel_on_signals();
              bool prepared = false;
              const auto reason = sys::enter_process_namespace([&] { prepared = true; });
              return !reason && prepared && ::getpid() == 1 ? 7 : 1;
            }),
            7);
}

TEST_F(ProcessNamespace, GivesTheReasonInTheSameProcessWhereThatCannotBe) {
  EXPECT_EQ(test::in_child([] {
              sys::cancel_on_signals();
              const pid_t self = ::getpid();
              const auto reason = sys::enter_process_namespace([] { throw util::Error("it is too late"); });
              if (reason != "it is too late" || ::getpid() != self) return 1;
              // Children are born where they were before.
              const pid_t child = ::fork();
              if (child == 0) ::_exit(::getpid() > 1 ? 0 : 1);
              int status = 1;
              return ::waitpid(child, &status, 0) == child ? status : 2;
            }),
            0);
}

}  // namespace
