// Unpacking that is called off.
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>

#include "common/layer/apply.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "tests/support/tar_archive.hpp"

namespace {

TEST(ApplyCancellation, EndsInTheMiddleOfAFile) {
  sys::Canceller canceller;
  // Of an archive whose one file never ends in this test.
  struct Endless : stream::Source {
    Endless(std::string its_start, sys::Canceller& its_reader)
        : start(std::move(its_start)), reader(its_reader) {}
    std::size_t read(std::span<std::byte> buffer) override {
      if (start.empty()) reader.cancel();
      const auto count = start.empty() ? buffer.size() : std::min(start.size(), buffer.size());
      std::copy_n(start.begin(), std::min(start.size(), count), reinterpret_cast<char*>(buffer.data()));
      start.erase(0, count);
      return count;
    }
    std::string start;
    sys::Canceller& reader;
  };
  auto header = test::archive({{.path = "f"}}).substr(0, 512);
  test::put(header, 124, "77777777777");  // its size
  Endless archive(test::sealed(header), canceller);
  const sys::TempDir directory{testing::TempDir()};
  auto root = sys::RootedDir::open(directory.path());
  layer::Applier applier(root, {.cancel = canceller.cancellation()});
  try {
    applier.apply(archive, "the tar archive");
    FAIL();
  } catch (const util::Error& error) {
    EXPECT_TRUE(error.is_cancelled()) << error.what();
  }
}

}  // namespace
