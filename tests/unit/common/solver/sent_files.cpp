// How much of a context is sent.
#include "common/solver/sent_files.hpp"

#include "tests/unit/common/solver/trees.hpp"

namespace solver {
namespace {

class SentSize : public test::Trees {
protected:
  SentSize() {
    for (const auto& [path, size] : std::map<std::string, int>{
             {"a/one.txt", 1}, {"a/b/two.txt", 2}, {"a/b/four.c", 4}, {"c/eight.txt", 8}, {"sixteen", 16}})
      write(source() / path, std::string(size, 'x'));
    std::filesystem::create_symlink("c", source() / "link");
  }

  std::optional<std::uint64_t> of(const std::vector<std::string>& sources) const {
    return sent_files(
               context_source(std::make_shared<context::Tree>(source(), context::load_ignore(source()))),
               sources)
        ->size("");
  }
};

TEST_F(SentSize, IsThatOfWhatIsNamed) {
  EXPECT_EQ(of({""}), 31U);
  EXPECT_EQ(of({"a"}), 7U);
  EXPECT_EQ(of({"a/b", "sixteen"}), 22U);
  EXPECT_EQ(of({"a", "a/b"}), 7U);
  EXPECT_EQ(of({"gone"}), 0U);
}

TEST_F(SentSize, IsThatOfWhatMatchesAndOfWhatLinksLeadTo) {
  EXPECT_EQ(of({"a/*.txt"}), 1U);
  EXPECT_EQ(of({"a/*"}), 7U);
  EXPECT_EQ(of({"*/*.txt"}), 31U);  // one of the first names is a link
  EXPECT_EQ(of({"a/**/*.txt"}), 3U);
  EXPECT_EQ(of({"*"}), 31U);
  EXPECT_EQ(of({"link/eight.txt"}), 8U);
}

TEST_F(SentSize, IsUnknownOfATreeThatNobodyHasWalked) {
  EXPECT_EQ(sent_files(root_source(source()), {"a"})->size(""), std::nullopt);
}

}  // namespace
}  // namespace solver
