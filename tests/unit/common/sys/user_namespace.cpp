// Maps of ids, and a user namespace for real.
#include "common/sys/user_namespace.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/sys/file.hpp"
#include "common/sys/trial.hpp"
#include "common/util/error.hpp"
#include "tests/support/sanitizers.hpp"

namespace sys {
namespace {

TEST(IdMap, IsReadLineByLine) {
  EXPECT_EQ(parse_id_map("         0 4294967294          1\n         1          1 4294967293\n"),
            (std::vector<IdRange>{{0, 4294967294, 1}, {1, 1, 4294967293}}));
  EXPECT_TRUE(parse_id_map("").empty());
  EXPECT_TRUE(parse_id_map("nonsense\n1 2\n").empty());
}

TEST(SubordinateIds, AreThoseOfTheUserByNameAndNumber) {
  const auto text = "alice:100000:65536\nbob:165536:65536\n1000:300000:10\nalice:0:0\nbroken\nalice:x:1\n";
  EXPECT_EQ(subordinate_ids(text, "alice", 1000),
            (std::vector<IdRange>{{0, 100000, 65536}, {0, 300000, 10}}));
  EXPECT_TRUE(subordinate_ids(text, "carol", 5).empty());
}

TEST(UserNamespace, HasAllIdsThatRootHas) {
  if (test::has_thread_sanitizer)
    GTEST_SKIP() << "ThreadSanitizer has a thread of its own, and who has threads may not enter one";
  if (::geteuid() != 0) GTEST_SKIP() << "maps that are written by root";
  const auto before = parse_id_map(read_file("/proc/self/uid_map"));
  EXPECT_EQ(why_not([&] {
              enter_user_namespace();
              const auto after = parse_id_map(read_file("/proc/self/uid_map"));
              if (after.size() != before.size()) throw util::Error("other ranges");
              for (std::size_t i = 0; i < after.size(); ++i) {
                if (after[i].inside != before[i].inside || after[i].count != before[i].count)
                  throw util::Error("another range");
              }
              if (::setresgid(1234, 1234, 1234) != 0 || ::setresuid(1234, 1234, 1234) != 0)
                util::throw_errno("no other user");
            }),
            std::nullopt);
}

TEST(UserNamespace, NeedsMoreThanOneId) {
  if (::geteuid() != 0) GTEST_SKIP() << "another user is made by root";
  const auto reason = why_not([] {
    if (::setresgid(54321, 54321, 54321) != 0 || ::setresuid(54321, 54321, 54321) != 0)
      util::throw_errno("no other user");
    enter_user_namespace();
  });
  ASSERT_TRUE(reason);
  EXPECT_NE(reason->find("the user 54321 has no ids in /etc/subuid"), std::string::npos) << *reason;
}

TEST(UserNamespace, IsNotPromisedToWhoMayGainNoPrivileges) {
  if (::geteuid() != 0) GTEST_SKIP() << "another user is made by root";
  const auto reason = why_not([] {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (::setresgid(54321, 54321, 54321) != 0 || ::setresuid(54321, 54321, 54321) != 0)
      util::throw_errno("no other user");
    enter_user_namespace();
  });
  EXPECT_EQ(reason, "no_new_privs is set, under which nobody maps the ids of a user");
}

}  // namespace
}  // namespace sys
