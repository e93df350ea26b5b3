// Copies of local files that steps share.
#include "common/solver/local_copies.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "common/util/error.hpp"

namespace {

TEST(LocalCopies, AreMadeOnceForAllWhoAskAtTheSameTime) {
  solver::LocalCopies copies;
  int made = 0;
  std::vector<std::thread> steps;
  for (int i = 0; i < 8; ++i) {
    steps.emplace_back(
        [&] { EXPECT_EQ(copies.get("key", [&] { return "path-" + std::to_string(++made); }), "path-1"); });
  }
  for (auto& step : steps)
    step.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(copies.get("other", [&] { return "path-" + std::to_string(++made); }), "path-2");
}

TEST(LocalCopies, AreMadeAgainAfterAnError) {
  solver::LocalCopies copies;
  EXPECT_THROW(copies.get("key", []() -> std::string { throw util::Error("not found"); }), util::Error);
  EXPECT_EQ(copies.get("key", [] { return "path"; }), "path");
}

}  // namespace
