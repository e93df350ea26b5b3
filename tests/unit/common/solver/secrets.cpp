// Where the values of secrets come from.
#include "common/solver/secrets.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "tests/support/error_of.hpp"

namespace solver {
namespace {

TEST(Secrets, AreReadWhenTheyAreAskedFor) {
  const sys::TempDir directory{sys::scratch_directory()};
  const auto file = directory.path() / "secret";
  const Secrets secrets({{.id = "file", .env = {}, .file = file},
                         {.id = "variable", .env = "TEST_SECRET_OF_A_STEP", .file = {}}});
  EXPECT_NE(test::error_of([&] { secrets.find("file"); }).find("No such file or directory"),
            std::string::npos);
  sys::write_file(file, "one\n");
  EXPECT_EQ(secrets.find("file"), "one\n");
  EXPECT_EQ(secrets.find("variable"), std::nullopt);
  ::setenv("TEST_SECRET_OF_A_STEP", "two", 1);
  EXPECT_EQ(secrets.find("variable"), "two");
  ::unsetenv("TEST_SECRET_OF_A_STEP");
  EXPECT_EQ(secrets.find("nobody's"), std::nullopt);
}

}  // namespace
}  // namespace solver
