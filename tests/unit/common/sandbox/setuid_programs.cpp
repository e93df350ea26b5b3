// Which words of a step are commands.
#include "common/sandbox/setuid_programs.hpp"

#include <gtest/gtest.h>

namespace sandbox {
namespace {

using Words = std::vector<std::string>;

TEST(SetuidPrograms, AreLookedForWhereAShellTakesCommands) {
  EXPECT_EQ(command_words({"sudo id"}), Words{"sudo"});
  EXPECT_EQ(command_words({"echo su && X=1 su -c id"}), (Words{"echo", "su"}));
  EXPECT_EQ(command_words({"if ! sudo true; then (exec doas ls) | grep sudo; fi"}),
            (Words{"sudo", "doas", "grep", "fi"}));
  EXPECT_EQ(command_words({"echo $(sudo id)"}), (Words{"echo", "sudo"}));
  EXPECT_EQ(command_words({"/usr/bin/sudo", "-n", "id"}), (Words{"/usr/bin/sudo", "-n", "id"}));
  EXPECT_EQ(command_words({"pip install su"}), Words{"pip"});
}

}  // namespace
}  // namespace sandbox
