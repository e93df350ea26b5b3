// COPY, inline files and WORKDIR, as changes of real filesystems.
#include "common/solver/file_ops.hpp"

#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"
#include "tests/unit/common/solver/ops.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;
using test::Lines;

class FileOps : public test::Ops {
protected:
  static constexpr plan::OpId base = 0;
  static constexpr plan::OpId from = 1;

  Change copied(const plan::Copy& op, Form form = Form::tree) {
    return copy(op, inputs_, form, trees(), cancel());
  }

  static plan::Copy copy_of(const std::string& path, const std::string& destination,
                            plan::OpId source = from) {
    plan::Copy op = {};
    op.base = base;
    op.sources = {{.from = source, .path = path}};
    op.destination = destination;
    return op;
  }

  Change made(const std::string& path, const std::string& user = "",
              std::optional<std::int64_t> epoch = std::nullopt) {
    return make_directory({.base = base, .path = path, .user = user}, inputs_, trees(), epoch);
  }

  Inputs inputs_;
};

constexpr const char* passwd = "me:x:7:8::/:/bin/sh\n";

TEST_F(FileOps, CopyIsTheChangeAlone) {
  inputs_ = {{base, filesystem({{"old", "old"}, {"d/below", "below"}})},
             {from, context({{"d/new", "new"}, {"other", "other"}})}};
  EXPECT_EQ(lines(copied(copy_of("d", "/d"))), (Lines{"d 755 0:0 d", "f 644 0:0 d/new: new"}));
}

TEST_F(FileOps, CopyIsTheSameAsATreeAndAsADraft) {
  inputs_ = {{base, filesystem({{"etc/passwd", passwd}, {"file", "old"}})},
             {from, filesystem({{"d/file", "new"}, {"d/sub/", ""}})}};
  auto op = copy_of("d", "/");
  op.chown = "me";
  op.chmod = "0750";
  const Lines expected = {"f 750 7:8 file: new", "d 750 7:8 sub"};
  EXPECT_EQ(lines(copied(op, Form::tree)), expected);
  const auto draft = copied(op, Form::layer);
  EXPECT_TRUE(draft.draft);
  EXPECT_EQ(lines(draft), expected);
}

TEST_F(FileOps, CopyFromTheFilesystemThatItChanges) {
  inputs_ = {{base, filesystem({{"a", "content"}})}};
  EXPECT_EQ(lines(copied(copy_of("a", "/b", base))), (Lines{"f 644 0:0 b: content"}));
}

TEST_F(FileOps, CopyWithALinkStandsOnNothing) {
  inputs_ = {{from, filesystem({{"f", "new"}})}};
  auto op = copy_of("f", "/d/");
  op.link = true;
  EXPECT_EQ(lines(copied(op)), (Lines{"d 755 0:0 d", "f 644 0:0 d/f: new"}));
  op.chown = "me";
  EXPECT_EQ(test::error_of([&] { copied(op); }), "failed to load cache key: invalid user index -1");
}

TEST_F(FileOps, CopyLeavesOutWhatIsExcluded) {
  inputs_ = {{base, filesystem({})}, {from, context({{"d/a.c", "a"}, {"d/a.o", "o"}})}};
  auto op = copy_of("d", "/d");
  op.excludes = {"**/*.o"};
  EXPECT_EQ(lines(copied(op)), (Lines{"d 755 0:0 d", "f 644 0:0 d/a.c: a"}));
}

TEST_F(FileOps, CopyUnpacksNoDraftWhereAnArchiveMayBe) {
  inputs_ = {{base, filesystem({})}, {from, context({{"f", "no archive"}})}};
  auto op = copy_of("f", "/");
  op.sources.front().unpack_archives = true;
  const auto change = copied(op, Form::layer);
  EXPECT_FALSE(change.draft);
  EXPECT_EQ(lines(change), (Lines{"f 644 0:0 f: no archive"}));
}

TEST_F(FileOps, CopyOfWhatIsNotThereLeavesNothing) {
  inputs_ = {{base, filesystem({})}, {from, filesystem({{"f", ""}})}};
  EXPECT_NE(test::error_of([&] { copied(copy_of("gone", "/")); }).find("\"/gone\": not found"),
            std::string::npos);
  EXPECT_TRUE(fs::is_empty(trees().directory()));
}

TEST_F(FileOps, CopyEndsWhenCancelled) {
  inputs_ = {{base, filesystem({})}, {from, filesystem({{"d/f", ""}})}};
  canceller_.cancel();
  EXPECT_EQ(test::error_of([&] { copied(copy_of("d", "/d")); }), "cancelled");
  EXPECT_TRUE(fs::is_empty(trees().directory()));
}

TEST_F(FileOps, ContentIsThatOfWhatTheCopyTakes) {
  const auto digest = [&](const Filesystem& files) {
    auto op = copy_of("d", "/");
    op.excludes = {"**/*.o"};
    return content(op, op.sources.front(), files, snapshotter(), cancel()).digest;
  };
  const auto first = digest(context({{"d/a.c", "a"}, {"d/a.o", "1"}, {"other", "1"}}));
  EXPECT_EQ(digest(context({{"d/a.c", "a"}, {"d/a.o", "2"}, {"other", "2"}})), first);
  EXPECT_EQ(digest(filesystem({{"d/a.c", "a"}})), first);
  EXPECT_NE(digest(filesystem({{"d/a.c", "b"}})), first);
}

TEST_F(FileOps, SourcesAreLookedForInAContextBeforeTheyAreCopied) {
  const auto files = context({{"there", ""}});
  const auto require = [&](const std::string& path) {
    return test::error_of([&] { require_sources(copy_of(path, "/"), from, *files.local, cancel()); });
  };
  EXPECT_EQ(require("there"), "no error");
  EXPECT_NE(require("gone").find("\"/gone\": not found"), std::string::npos);
  // Of another input.
  EXPECT_EQ(test::error_of([&] { require_sources(copy_of("gone", "/"), from + 1, *files.local, cancel()); }),
            "no error");
}

TEST_F(FileOps, InlineFileIsAloneInItsFilesystem) {
  EXPECT_EQ(lines(make_file({.name = "EOF", .content = "text\n"}, trees())),
            (Lines{"f 644 0:0 EOF: text\n"}));
}

TEST_F(FileOps, DirectoryIsMadeWithItsParentsForTheUser) {
  inputs_ = {{base, filesystem({{"etc/passwd", passwd}, {"there/", ""}})}};
  EXPECT_EQ(lines(made("/there/a/b", "me")),
            (Lines{"d 755 0:0 there", "d 755 7:8 there/a", "d 755 7:8 there/a/b"}));
  EXPECT_EQ(lines(made("/c", "5:6")), (Lines{"d 755 5:6 c"}));
}

TEST_F(FileOps, DirectoryThatIsThereIsNoChange) {
  inputs_ = {{base, filesystem({{"there/file", ""}})}};
  EXPECT_EQ(lines(made("/there", "5:6")), Lines{});
  EXPECT_EQ(lines(made("/")), Lines{});
}

TEST_F(FileOps, DirectoryIsOfTheEpoch) {
  inputs_ = {{base, filesystem({})}};
  EXPECT_EQ(status(made("/a/b", "", 1000), "a/b").st_mtim.tv_sec, 1000);
  EXPECT_GT(status(made("/a/b"), "a/b").st_mtim.tv_sec, 1'600'000'000);
}

TEST_F(FileOps, DirectoryWhereAFileIsFails) {
  inputs_ = {{base, filesystem({{"file", ""}})}};
  EXPECT_EQ(test::error_of([&] { made("/file"); }), "mkdir /file: not a directory");
  EXPECT_EQ(test::error_of([&] { made("/file/a"); }), "lstat /file/a: not a directory");
}

TEST_F(FileOps, DirectoryOfANameWithoutAnyFilesFails) {
  inputs_ = {{base, Filesystem{}}};
  EXPECT_EQ(test::error_of([&] { made("/d", "me"); }), "failed to load cache key: invalid user index -1");
  EXPECT_EQ(lines(made("/d", "7")), (Lines{"d 755 7:7 d"}));
}

}  // namespace
}  // namespace solver
