#include "common/store/store.hpp"

#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace store {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

Blob blob_of(std::string_view content) {
  return {hash::sha256(content), content.size()};
}

class StoreTest : public testing::Test {
protected:
  Store open() {
    return Store(directory_, {.warn = [this](const std::string& message) { warnings_.push_back(message); }});
  }
  fs::path path_of(const Blob& blob) const { return directory_ / "blobs/sha256" / blob.digest.hex(); }
  fs::path partial_path_of(const Blob& blob) const { return directory_ / "partial" / blob.digest.hex(); }

  sys::TempDir temp_{fs::temp_directory_path()};
  fs::path directory_ = temp_.path() / "store";
  std::vector<std::string> warnings_;
};

TEST_F(StoreTest, OfOneBuildIsMadeWhenItIsUsed) {
  Store store(directory_, {.life = Life::one_build});
  EXPECT_FALSE(fs::exists(directory_));
  const auto chain = hash::sha256("chain");
  auto tree = store.trees().make(chain);
  sys::write_file(tree->root() / "file", "content");
  const auto root = tree->commit(Fidelity::whole);
  EXPECT_EQ(store.trees().find(chain), root);
}

TEST_F(StoreTest, KeepsABlobForTheNextBuild) {
  const auto blob = open().blobs().put("hello");
  EXPECT_EQ(blob, blob_of("hello"));
  auto store = open();
  EXPECT_EQ(store.blobs().read(blob), "hello");
  EXPECT_TRUE(store.blobs().has(blob, Check::digest));
  EXPECT_EQ(stream::read_all(*store.blobs().open(blob), "blob", 100), "hello");
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(StoreTest, HasNotWhatWasNeverPut) {
  auto store = open();
  const auto blob = blob_of("absent");
  EXPECT_FALSE(store.blobs().has(blob, Check::size));
  EXPECT_EQ(store.blobs().read(blob), std::nullopt);
  EXPECT_EQ(store.blobs().open(blob), nullptr);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(StoreTest, ABlobOfAnotherSizeIsAMissAndAWarning) {
  const auto blob = open().blobs().put("hello");
  std::ofstream(path_of(blob)) << "hel";
  auto store = open();
  EXPECT_FALSE(store.blobs().has(blob, Check::size));
  EXPECT_EQ(warnings_.size(), 1);
  EXPECT_FALSE(fs::exists(path_of(blob)));
}

TEST_F(StoreTest, ABlobOfOtherBytesIsAMissAndAWarning) {
  const auto blob = open().blobs().put("hello");
  std::ofstream(path_of(blob)) << "jello";
  auto store = open();
  EXPECT_EQ(store.blobs().read(blob), std::nullopt);
  EXPECT_EQ(warnings_.size(), 1);
  EXPECT_FALSE(fs::exists(path_of(blob)));
  EXPECT_EQ(store.blobs().put("hello"), blob);
  EXPECT_EQ(store.blobs().read(blob), "hello");
}

TEST_F(StoreTest, AnOpenedBlobOfOtherBytesThrowsAndCanBeDiscarded) {
  const auto blob = open().blobs().put("hello");
  std::ofstream(path_of(blob)) << "jello";
  auto store = open();
  const auto source = store.blobs().open(blob);
  EXPECT_THROW(stream::read_all(*source, "blob", 100), util::Error);
  store.blobs().discard(blob.digest);
  EXPECT_EQ(store.blobs().open(blob), nullptr);
}

TEST_F(StoreTest, AGoodBlobOutlivesAWrongExpectation) {
  auto store = open();
  auto blob = store.blobs().put("hello");
  blob.size = 4;
  EXPECT_FALSE(store.blobs().has(blob, Check::size));
  store.blobs().discard(blob.digest);
  EXPECT_TRUE(fs::exists(path_of(blob)));
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(StoreTest, ANewBlobIsThereOnlyAfterCommit) {
  auto store = open();
  {
    auto dropped = store.blobs().create();
    sys::write_all(dropped.file().fd, "hello", "blob");
  }
  auto kept = store.blobs().create();
  sys::write_all(kept.file().fd, "hel", "blob");
  sys::write_all(kept.file().fd, "lo", "blob");
  EXPECT_FALSE(store.blobs().has(blob_of("hello"), Check::size));
  kept.commit(blob_of("hello"));
  EXPECT_EQ(store.blobs().read(blob_of("hello")), "hello");
  EXPECT_TRUE(fs::is_empty(directory_ / "partial"));
}

TEST_F(StoreTest, ADownloadEndsInItsPlace) {
  auto store = open();
  const auto blob = blob_of("hello");
  auto download = store.blobs().download(blob);
  ASSERT_TRUE(download);
  EXPECT_EQ(download->offset(), 0);
  download->write(bytes("hello"));
  EXPECT_TRUE(download->finish());
  EXPECT_EQ(store.blobs().read(blob), "hello");
  EXPECT_FALSE(store.blobs().download(blob));
  EXPECT_TRUE(fs::is_empty(directory_ / "partial"));
}

TEST_F(StoreTest, ADownloadGoesOnWhereTheLastOneWasCut) {
  const auto blob = blob_of("hello");
  {
    auto store = open();
    store.blobs().download(blob)->write(bytes("hel"));
  }
  auto store = open();
  auto download = store.blobs().download(blob);
  EXPECT_EQ(download->offset(), 3);
  download->write(bytes("lo"));
  EXPECT_TRUE(download->finish());
  EXPECT_EQ(store.blobs().read(blob), "hello");
}

TEST_F(StoreTest, ADownloadOfOtherBytesStartsAnew) {
  auto store = open();
  const auto blob = blob_of("hello");
  auto download = store.blobs().download(blob);
  download->write(bytes("jello"));
  EXPECT_FALSE(download->finish());
  EXPECT_EQ(download->offset(), 0);
  EXPECT_FALSE(store.blobs().has(blob, Check::size));
  download->write(bytes("hello"));
  EXPECT_TRUE(download->finish());
}

TEST_F(StoreTest, APartialFileThatIsTooLargeStartsAnew) {
  auto store = open();
  const auto blob = blob_of("hello");
  std::ofstream(partial_path_of(blob)) << "hello hello";
  EXPECT_EQ(store.blobs().download(blob)->offset(), 0);
}

TEST_F(StoreTest, ADamagedBlobIsReplacedByADownload) {
  auto store = open();
  const auto blob = blob_of("hello");
  std::ofstream(path_of(blob)) << "jello";
  auto download = store.blobs().download(blob);
  ASSERT_TRUE(download);
  download->write(bytes("hello"));
  EXPECT_TRUE(download->finish());
  EXPECT_EQ(warnings_.size(), 1);
  EXPECT_EQ(store.blobs().read(blob), "hello");
}

TEST_F(StoreTest, OneOfManyThatWantABlobFetchesIt) {
  const auto blob = blob_of("hello");
  std::atomic<int> fetched = 0;
  {
    std::vector<std::jthread> builds;
    for (int i = 0; i < 4; ++i) {
      builds.emplace_back([&] {
        Store store(directory_);
        if (auto download = store.blobs().download(blob)) {
          std::this_thread::sleep_for(20ms);  // so that the others come meanwhile
          download->write(bytes("hello"));
          fetched += download->finish();
        }
        EXPECT_EQ(store.blobs().read(blob), "hello");
      });
    }
  }
  EXPECT_EQ(fetched, 1);
}

TEST_F(StoreTest, TheNextTakesOverFromOneWhoGivesUp) {
  auto store = open();
  const auto blob = blob_of("hello");
  auto first = store.blobs().download(blob);
  std::jthread second([&] {
    auto download = store.blobs().download(blob);
    ASSERT_TRUE(download);
    EXPECT_EQ(download->offset(), 3);
    download->write(bytes("lo"));
    EXPECT_TRUE(download->finish());
  });
  first->write(bytes("hel"));
  first.reset();
  second.join();
  EXPECT_EQ(store.blobs().read(blob), "hello");
}

TEST_F(StoreTest, WaitingForAnotherDownloadCanBeCancelled) {
  auto store = open();
  const auto first = store.blobs().download(blob_of("hello"));
  sys::Canceller stop;
  stop.cancel();
  EXPECT_THROW(store.blobs().download(blob_of("hello"), stop.cancellation()), util::Error);
}

TEST_F(StoreTest, AKilledBuildLosesOnlyWhatItWasWriting) {
  const auto blob = blob_of("hello");
  const pid_t child = ::fork();
  if (child == 0) {
    Store store(directory_);
    store.blobs().put("whole");
    auto download = store.blobs().download(blob);
    download->write(bytes("hel"));
    auto fresh = store.blobs().create();
    sys::write_all(fresh.file().fd, "x", "blob");
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  auto store = open();
  EXPECT_EQ(store.blobs().read(blob_of("whole")), "whole");
  EXPECT_EQ(store.blobs().download(blob)->offset(), 3);
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(directory_ / "partial"))
    left.push_back(entry.path());
  EXPECT_EQ(left, std::vector{partial_path_of(blob)});
}

TEST_F(StoreTest, DropsADownloadThatWasCutLongAgo) {
  const auto blob = blob_of("hello");
  { open().blobs().download(blob)->write(bytes("hel")); }
  fs::last_write_time(partial_path_of(blob), fs::file_time_type::clock::now() - 25h);
  EXPECT_EQ(open().blobs().download(blob)->offset(), 0);
}

TEST_F(StoreTest, LeavesAloneWhatAnotherBuildIsWriting) {
  auto first = open();
  auto fresh = first.blobs().create();
  sys::write_all(fresh.file().fd, "hello", "blob");
  auto second = open();
  fresh.commit(blob_of("hello"));
  EXPECT_EQ(second.blobs().read(blob_of("hello")), "hello");
}

TEST_F(StoreTest, EmptiesAStoreOfAnotherFormat) {
  const auto blob = open().blobs().put("hello");
  std::ofstream(directory_ / "format") << "oci-build-store/999\n";
  std::ofstream(directory_ / "mine") << "kept";
  auto store = open();
  EXPECT_FALSE(store.blobs().has(blob, Check::size));
  EXPECT_TRUE(fs::exists(directory_ / "mine"));
  EXPECT_EQ(sys::read_file(directory_ / "format"), "oci-build-store/1\n");
}

TEST_F(StoreTest, RefusesAnotherFormatThatIsInUse) {
  const auto first = open();
  std::ofstream(directory_ / "format") << "oci-build-store/999\n";
  EXPECT_THROW(open(), util::Error);
}

TEST_F(StoreTest, RefusesADirectoryThatIsSomethingElse) {
  fs::create_directory(directory_);
  std::ofstream(directory_ / "format") << "PNG";
  EXPECT_THROW(open(), util::Error);
}

TEST_F(StoreTest, WaitsForWhoeverIsAloneInIt) {
  open();
  sys::UniqueFd alone(::open((directory_ / "lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(alone.get(), LOCK_EX), 0);
  std::atomic<bool> opened = false;
  std::jthread waiting([&] {
    open();
    opened = true;
  });
  std::this_thread::sleep_for(50ms);  // a store that does not wait would be open by now
  EXPECT_FALSE(opened);
  alone = sys::UniqueFd();
  waiting.join();
  EXPECT_TRUE(opened);
}

TEST_F(StoreTest, AUseMakesABlobTheYoungest) {
  const auto blob = open().blobs().put("hello");
  const auto old = fs::file_time_type::clock::now() - 24h;
  fs::last_write_time(path_of(blob), old);
  open().blobs().has(blob, Check::size);
  EXPECT_GT(fs::last_write_time(path_of(blob)), old + 23h);
}

TEST_F(StoreTest, RemembersWhatANameMeant) {
  open().names().put("docker.io/library/debian:12", blob_of("a"));
  open().names().put("docker.io/library/debian:12", blob_of("b"));
  EXPECT_EQ(open().names().find("docker.io/library/debian:12"), blob_of("b"));
  EXPECT_EQ(open().names().find("docker.io/library/debian:11"), std::nullopt);
}

TEST_F(StoreTest, ADamagedNameIsAMissAndAWarning) {
  open().names().put("debian", blob_of("a"));
  const auto path = directory_ / "names" / hash::sha256("debian").hex();
  for (const auto* content :
       {"", "{", "{}", R"({"schema":"oci-build/store-name/1","name":"x","digest":"y","size":1})"}) {
    std::ofstream(path) << content;
    warnings_.clear();
    EXPECT_EQ(open().names().find("debian"), std::nullopt) << content;
    EXPECT_EQ(warnings_.size(), 1) << content;
  }
}

}  // namespace
}  // namespace store
