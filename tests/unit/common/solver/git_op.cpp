// Checkouts of a real repository, by the real git.
#include "common/solver/git_op.hpp"

#include "common/store/store.hpp"
#include "common/sys/process.hpp"
#include "common/util/error.hpp"
#include "tests/support/error_of.hpp"
#include "tests/support/listening_socket.hpp"
#include "tests/unit/common/solver/ops.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;
using test::Lines;

// Two commits of two files, the first with a tag; made once for all tests.
class Repository {
public:
  static const Repository& get() {
    static const Repository repository;
    return repository;
  }

  // What it prints.
  std::string git(std::vector<std::string> arguments) const {
    sys::Command command{.argv = {"git", "-C", path(), "-c", "user.name=me", "-c", "user.email=me@test"}};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = {"PATH=" + std::string(std::getenv("PATH")), "HOME=/dev/null", "LC_ALL=C"};
    const auto captured = sys::run_captured(command, "");
    EXPECT_TRUE(captured.status.success()) << arguments.front();
    return captured.output.substr(0, captured.output.find('\n'));
  }

  const fs::path& path() const { return directory_.path(); }

private:
  Repository() {
    git({"init", "-q", "-b", "main"});
    fs::create_directory(path() / "d");
    sys::write_file(path() / "d/sub", "sub");
    first = commit("first");
    git({"tag", "-a", "-m", "tagged", "v1"});
    second = commit("second");
  }

  std::string commit(const std::string& content) const {
    sys::write_file(path() / "file", content);
    git({"add", "."});
    git({"commit", "-q", "-m", "change"});
    return git({"rev-parse", "HEAD"});
  }

  sys::TempDir directory_{sys::scratch_directory()};

public:
  std::string first;
  std::string second;
};

class GitOp : public test::Ops {
protected:
  void SetUp() override {
    test::Ops::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    op_.remote = "file://" + repository_.path().string();
    give_agent();
  }

  GitRevision found() {
    auto remote = this->remote();
    return find_revision(op_, remote);
  }

  Checkout checked_out(Fetching fetching = Fetching::if_changed) {
    auto remote = this->remote();
    return check_out(op_, find_revision(op_, remote), fetching, remote, trees(), cache_, cancel());
  }

  GitRemote remote() {
    return {op_, secrets_, *ssh_, cancel(), [this](std::string_view text) { said_ += text; }};
  }

  std::string failure() {
    return test::error_of([&] { checked_out(); });
  }

  plan::Git op_ = {};
  const Repository& repository_ = Repository::get();
  const std::string& first_ = repository_.first;
  const std::string& second_ = repository_.second;
  std::string said_;
  store::Store store_{outside() / "store"};
  StepCache steps_{store_, "Dockerfile"};
  StepCache* cache_ = nullptr;
  std::unique_ptr<SshAgents> ssh_;

private:
  // What is not reached by http needs one; it listens, as far as anybody looks.
  void give_agent() {
    const auto path = directory({}) / "agent";
    agent_ = test::make_socket(path);
    ssh_ = std::make_unique<SshAgents>(
        std::vector<document::Ssh>{{.id = "default", .env = {}, .paths = {path}}}, outside());
  }

  sys::UniqueFd agent_;
  Secrets secrets_{{}};
};

TEST_F(GitOp, WithoutARefTheDefaultBranchIsMeant) {
  const auto revision = found();
  EXPECT_EQ(revision.ref, "main");
  EXPECT_EQ(revision.commit, second_);
  EXPECT_TRUE(revision.is_confirmed);
  EXPECT_EQ(lines(checked_out().change),
            (Lines{"d 755 0:0 d", "f 644 0:0 d/sub: sub", "f 644 0:0 file: second"}));
}

TEST_F(GitOp, TagIsItsOwnObjectAndTheCommitBelow) {
  op_.ref = "v1";
  const auto revision = found();
  EXPECT_EQ(revision.commit, repository_.git({"rev-parse", "v1"}));
  EXPECT_EQ(revision.target, first_);
  EXPECT_EQ(lines(checked_out().change).back(), "f 644 0:0 file: first");
}

TEST_F(GitOp, CommitIsKnownWithoutAskingTheServer) {
  op_.ref = first_;
  EXPECT_EQ(lines(checked_out().change).back(), "f 644 0:0 file: first");
  op_.remote = "file:///nowhere";
  EXPECT_EQ(found().commit, first_);
  EXPECT_NE(failure().find("failed to fetch remote file:///nowhere"), std::string::npos) << failure();
}

TEST_F(GitOp, ChecksumHasToBeThatOfTheCommit) {
  op_.ref = "main";
  op_.checksum = second_.substr(0, 10);
  EXPECT_EQ(lines(checked_out().change).back(), "f 644 0:0 file: second");
  op_.checksum = first_.substr(0, 10);
  EXPECT_EQ(failure(),
            "failed to load cache key: expected checksum to match " + op_.checksum + ", got " + second_);
  // One that is whole is believed until somebody asks.
  op_.checksum = first_;
  EXPECT_FALSE(found().is_confirmed);
  EXPECT_NE(failure(), "no error");
}

TEST_F(GitOp, RefThatIsNotThereFails) {
  op_.ref = "gone";
  EXPECT_TRUE(failure().starts_with("failed to load cache key: repository does not contain ref gone"))
      << failure();
  op_.ref = "--upload-pack=evil";
  EXPECT_EQ(failure(), R"(failed to load cache key: invalid git ref "--upload-pack=evil")");
}

TEST_F(GitOp, GitDirectoryStaysWhereItIsWanted) {
  op_.ref = "main";
  op_.keep_git_dir = true;
  const auto change = checked_out().change;
  EXPECT_EQ(sys::read_file(change.tree / "file"), "second");
  EXPECT_NE(sys::read_file(change.tree / ".git/config").find("url = " + op_.remote), std::string::npos);
  EXPECT_TRUE(sys::read_file(change.tree / ".git/HEAD").starts_with(second_));
}

TEST_F(GitOp, SubdirectoryIsAllThereIs) {
  op_.subdirectory = "d";
  op_.keep_git_dir = true;
  EXPECT_EQ(lines(checked_out().change), (Lines{"f 644 0:0 sub: sub"}));
  op_.subdirectory = "file";
  EXPECT_NE(failure().find(R"(git subpath "file" contains non-directory "file")"), std::string::npos);
  op_.subdirectory = "gone";
  EXPECT_NE(failure().find("no such file or directory"), std::string::npos);
}

TEST_F(GitOp, CommitOutOfTheStoreNeedsNoServer) {
  cache_ = &steps_;
  op_.ref = first_;
  const auto first = checked_out();
  EXPECT_FALSE(first.was_there);
  const auto files = lines(first.change);
  op_.remote = "file:///nowhere";
  const auto second = checked_out();
  EXPECT_TRUE(second.was_there);
  EXPECT_EQ(lines(second.change), files);
  EXPECT_NE(test::error_of([&] { checked_out(Fetching::anew); }), "no error");
}

TEST_F(GitOp, WhatGitSaysIsPassedOn) {
  checked_out();
  EXPECT_NE(said_.find("From " + op_.remote), std::string::npos) << said_;
}

TEST_F(GitOp, RemoteByAnythingButHttpNeedsAnAgent) {
  ssh_ = std::make_unique<SshAgents>(std::vector<document::Ssh>{}, outside());
  EXPECT_TRUE(
      failure().starts_with(R"(failed to load cache key: no SSH key "default" forwarded from the client; )"))
      << failure();
}

TEST_F(GitOp, EndsWhenCancelled) {
  op_.ref = "main";
  canceller_.cancel();
  EXPECT_NE(failure().find("cancelled"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(trees().directory()));
}

}  // namespace
}  // namespace solver
