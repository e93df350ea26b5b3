// What is told of two listings.
#include "common/solver/listing.hpp"

#include <gtest/gtest.h>

#include "common/hash/sha256.hpp"

namespace {

using solver::Difference;
using solver::Listing;

Listing listing(const std::vector<std::pair<std::string, std::string>>& files) {
  Listing made;
  for (const auto& [path, content] : files)
    made.add(path, hash::sha256(content));
  return made;
}

std::string differences(const Listing& then, const Listing& now) {
  std::string text;
  solver::for_each_difference(then, now, [&](std::string_view path, Difference difference) {
    text += (difference == Difference::changed ? "~" : difference == Difference::is_new ? "+" : "-");
    text += std::string(path) + " ";
  });
  return text;
}

TEST(Listing, TellsWhatChangedCameAndWent) {
  const auto then =
      listing({{"src/z", "1"}, {"src/a", "1"}, {"gone", "1"}, {"same", "1"}, {"also gone", "1"}});
  const auto now = listing({{"src/z", "2"}, {"new", "1"}, {"src/a", "2"}, {"same", "1"}});
  EXPECT_EQ(differences(then, now), "~src/z +new ~src/a -also gone -gone ");
  EXPECT_EQ(differences(now, now), "");
  EXPECT_EQ(differences({}, now), "+src/z +new +src/a +same ");
}

TEST(Listing, SurvivesTheStore) {
  const auto files = listing({{"", "1"}, {"a b\n", "1"}});
  EXPECT_EQ(differences(Listing(files.text()), files), "");
  // Cut short or of another kind: whatever can be read of it.
  EXPECT_EQ(differences(Listing(files.text().substr(0, 40)), files), "+a b\n ");
  EXPECT_EQ(differences(Listing("short"), files), "+ +a b\n ");
}

}  // namespace
