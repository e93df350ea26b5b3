#include "common/store/steps.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "common/store/store.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"

namespace store {
namespace {

namespace fs = std::filesystem;

const Step built_step{.diff_id = hash::sha256("unpacked"),
                      .blob = {hash::sha256("packed"), 6},
                      .media_type = "application/vnd.oci.image.layer.v1.tar+gzip",
                      .created = {.seconds = 1'600'000'000, .nanoseconds = 1500},
                      .parts = {{plan::KeyPart::Kind::base, "", hash::sha256("base")},
                                {plan::KeyPart::Kind::variable, "PATH", hash::sha256("/bin")}}};
const auto built_key = plan::key_of(built_step.parts);

class StepsTest : public testing::Test {
protected:
  Store open() {
    warnings_.clear();
    return Store(directory_, {.warn = [this](const std::string& message) { warnings_.push_back(message); }});
  }
  fs::path record() const { return directory_ / "steps" / built_key.hex(); }

  sys::TempDir temp_{testing::TempDir()};
  fs::path directory_ = temp_.path() / "store";
  std::vector<std::string> warnings_;
};

TEST_F(StepsTest, AreFoundByTheirKeyInLaterBuilds) {
  open().steps().put(built_key, built_step);
  auto store = open();
  EXPECT_EQ(store.steps().find(built_key), built_step);
  EXPECT_EQ(store.steps().peek(built_key), built_step);
  EXPECT_EQ(store.steps().find(hash::sha256("other")), std::nullopt);
}

TEST_F(StepsTest, OfAnotherKeyAreDamage) {
  const auto other = hash::sha256("other");
  open().steps().put(other, built_step);
  auto store = open();
  EXPECT_EQ(store.steps().find(other), std::nullopt);
  EXPECT_EQ(warnings_.size(), 1);
  EXPECT_FALSE(fs::exists(directory_ / "steps" / other.hex()));
}

TEST_F(StepsTest, ThatAreDamagedAreNotThereAndWarnedOfOnce) {
  open().steps().put(built_key, built_step);
  const auto whole = sys::read_file(record());
  for (std::size_t i = 0; i < whole.size(); i += 7) {
    auto damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    sys::write_file(record(), damaged);
    auto store = open();
    // Not every byte counts for what it is found by.
    if (const auto found = store.steps().find(built_key)) continue;
    EXPECT_EQ(warnings_.size(), 1) << damaged;
    EXPECT_EQ(store.steps().find(built_key), std::nullopt);
    EXPECT_EQ(warnings_.size(), 1);
  }
}

TEST_F(StepsTest, AreComparedWithoutAWord) {
  open().steps().put(built_key, built_step);
  sys::write_file(record(), "{");
  auto store = open();
  EXPECT_EQ(store.steps().peek(built_key), std::nullopt);
  EXPECT_EQ(warnings_, std::vector<std::string>());
}

TEST_F(StepsTest, HaveNotesAndListingsBesideThem) {
  const auto question = hash::sha256("question");
  {
    auto store = open();
    EXPECT_EQ(store.steps().note(question), std::nullopt);
    store.steps().put_note(question, hash::sha256("answer"));
    store.steps().put_listing(hash::sha256("list"), std::string("a\0b", 3));
  }
  auto store = open();
  EXPECT_EQ(store.steps().note(question), hash::sha256("answer"));
  EXPECT_EQ(store.steps().listing(hash::sha256("list")), std::string("a\0b", 3));
  // One for the other is damage.
  EXPECT_EQ(store.steps().find(question), std::nullopt);
  EXPECT_EQ(warnings_.size(), 1);
}

TEST_F(StepsTest, ThatWereUsedLastStayLongest) {
  auto store = open();
  store.steps().put(built_key, built_step);
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(100);
  fs::last_write_time(record(), long_ago);
  EXPECT_TRUE(store.steps().peek(built_key));
  EXPECT_LE(fs::last_write_time(record()), long_ago + std::chrono::seconds(1));
  EXPECT_TRUE(store.steps().find(built_key));
  EXPECT_GT(fs::last_write_time(record()), long_ago + std::chrono::hours(99));
}

}  // namespace
}  // namespace store
