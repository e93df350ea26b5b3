// Files of a context that were read by an earlier build.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/context/tree.hpp"
#include "common/hash/sha256.hpp"
#include "common/solver/source_tree.hpp"
#include "common/store/store.hpp"
#include "common/sys/file.hpp"
#include "common/sys/file_state.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;

class ContextSeals : public testing::Test {
protected:
  void SetUp() override {
    util::log::set_level(util::log::Level::debug);
    fs::create_directory(context_);
    write("file", "content");
    write("directory/other", "another");
  }
  void TearDown() override { util::log::set_level(util::log::Level::info); }

  // Settled at once, as files are that lay there before the build.
  void write(const std::string& path, const std::string& content) const {
    fs::create_directories((context_ / path).parent_path());
    sys::write_file(context_ / path, content);
    while (!sys::is_past(status(path).st_ctim)) {}
  }

  struct stat status(const std::string& path) const {
    struct stat status = {};
    EXPECT_EQ(::lstat((context_ / path).c_str(), &status), 0);
    return status;
  }

  void put_time_back(const std::string& path, const struct stat& before) const {
    const timespec times[] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, (context_ / path).c_str(), times, 0), 0);
    while (!sys::is_past(status(path).st_ctim)) {}
  }

  std::unique_ptr<SourceTree> source(store::Store& store) const {
    return context_source(std::make_shared<context::Tree>(context_, context::load_ignore(context_)),
                          store.seals());
  }

  // What a build says of these files, whose digests it asks for.
  std::string build(const std::vector<std::string>& paths = {"directory/other", "file"}) {
    store::Store store(temp_.path() / "store", {.tells_changes = [this](int) { return tells_changes_; }});
    const auto tree = source(store);
    for (const auto& path : paths)
      EXPECT_EQ(tree->digest(path), hash::sha256(sys::read_file(context_ / path))) << path;
    testing::internal::CaptureStderr();
    tree->keep_seals();
    auto said = testing::internal::GetCapturedStderr();
    const std::string begin = "files of the build context: ";
    return said.substr(said.find(begin) + begin.size(),
                       said.find(" as an") - said.find(begin) - begin.size());
  }

  sys::TempDir temp_{fs::temp_directory_path()};
  fs::path context_ = temp_.path() / "context";
  bool tells_changes_ = true;
};

TEST_F(ContextSeals, SpareTheNextBuildTheBytes) {
  EXPECT_EQ(build(), "2 read, 0");
  EXPECT_EQ(build(), "0 read, 2");
  write("new", "new");
  EXPECT_EQ(build({"new", "file"}), "1 read, 2");
  EXPECT_EQ(build({"directory/other", "new"}), "0 read, 3");
}

// Nobody opens a file that is sealed: its digest is what the seal says.
TEST_F(ContextSeals, AreBelievedWithoutALookAtTheBytes) {
  build();
  fs::path record;
  for (const auto& entry : fs::directory_iterator(temp_.path() / "store/steps"))
    record = entry.path();
  const auto name = hash::Digest::from_hex(record.filename().string());
  store::Store store(temp_.path() / "store", {.tells_changes = [](int) { return true; }});
  auto writer = store.seals()->write(name);
  writer->add("file", sys::FileState::of(status("file")), hash::sha256("said"));
  writer->commit();
  const auto tree = source(store);
  EXPECT_EQ(tree->digest("file"), hash::sha256("said"));
  EXPECT_EQ(tree->digest("directory/other"), hash::sha256("another"));
}

TEST_F(ContextSeals, AreBrokenByAChangeThatPutsTheTimeBack) {
  build();
  const auto before = status("file");
  sys::UniqueFd fd(::open((context_ / "file").c_str(), O_WRONLY));
  sys::write_all(fd.get(), "CONTENT", "file");
  fd = sys::UniqueFd();
  put_time_back("file", before);
  EXPECT_EQ(build(), "1 read, 1");
  EXPECT_EQ(build(), "0 read, 2");
}

TEST_F(ContextSeals, AreBrokenByAnotherFileOfThatName) {
  build();
  const auto before = status("file");
  write("other", "CONTENT");
  fs::rename(context_ / "other", context_ / "file");
  put_time_back("file", before);
  EXPECT_EQ(build(), "1 read, 1");
}

TEST_F(ContextSeals, AreRightHoweverFastAFileIsWrittenAnew) {
  for (int i = 0; i < 200; ++i) {
    sys::UniqueFd fd(::open((context_ / "file").c_str(), O_WRONLY | O_TRUNC));
    sys::write_all(fd.get(), std::to_string(100 + i), "file");
    fd = sys::UniqueFd();
    build();
  }
}

TEST_F(ContextSeals, AreNotMadeOfAFileThatIsBeingWritten) {
  const sys::UniqueFd writer(::open((context_ / "file").c_str(), O_WRONLY | O_APPEND));
  EXPECT_EQ(build(), "2 read, 0");
  EXPECT_EQ(build(), "1 read, 1");
}

TEST_F(ContextSeals, AreNotMadeOrBelievedWhereChangesDoNotShow) {
  build();
  tells_changes_ = false;
  EXPECT_EQ(build(), "2 read, 0");
  EXPECT_EQ(build(), "2 read, 0");
}

TEST_F(ContextSeals, ArePartedByIgnoreFiles) {
  write(".dockerignore", "nothing");
  build();
  write(".dockerignore", "directory");
  EXPECT_EQ(build({"file"}), "1 read, 0");
  write(".dockerignore", "nothing");
  EXPECT_EQ(build(), "0 read, 2");
}

// Its digest stands in a key already.
TEST_F(ContextSeals, HoldAFileToWhatTheySaidWhenItIsReadLater) {
  build();
  store::Store store(temp_.path() / "store", {.tells_changes = [](int) { return true; }});
  const auto tree = source(store);
  EXPECT_EQ(tree->digest("file"), hash::sha256("content"));
  write("file", "changed");
  EXPECT_THROW(tree->open("file"), util::Error);
}

}  // namespace
}  // namespace solver
