// What makes a step run again, and what does not: one change each, compared with BuildKit's behaviour.
#include "common/plan/cache_key.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <variant>

#include "common/context/sources.hpp"
#include "common/dockerfile/file.hpp"
#include "common/hash/sha256.hpp"
#include "common/plan/lower.hpp"
#include "common/solver/content.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"

namespace {

namespace fs = std::filesystem;

class OneBase : public plan::Images {
public:
  bool is_given(const std::string&) const override { return false; }
  std::string config(const image::Reference&, const image::Platform&) override {
    return R"({"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"]},
               "rootfs": {"type": "layers", "diff_ids": []}})";
  }
};

// Two filesystems that an op may stand on.
const auto base = hash::sha256("base");
const auto other_base = hash::sha256("other base");

// The keys of the last op of each kind in a Dockerfile, on a filesystem that the test names.
class Keys {
public:
  Keys(const std::string& dockerfile, const fs::path& context, const plan::Inputs& more = {}) {
    plan::Inputs inputs = more;
    inputs.context = context;
    inputs.dockerfile = context / "Dockerfile";
    inputs.targets = {std::nullopt};
    OneBase images;
    graph_ = plan::lower(dockerfile::parse(dockerfile, {.name = "Dockerfile", .syntax = {}, .check = {}}),
                         inputs, images, [](const auto&...) {});
  }

  hash::Digest copy(const hash::Digest& on = base) const {
    const auto& copy = last<plan::Copy>();
    std::vector<hash::Digest> selected;
    for (const auto& source : copy.sources)
      selected.push_back(content(source.from, source.path, copy.excludes));
    return plan::key_of(plan::copy_key(copy, on, selected));
  }

  hash::Digest run(const hash::Digest& on = base, const std::vector<std::string>& host_names = {}) const {
    const auto& run = last<plan::Run>();
    std::vector<hash::Digest> selected;
    for (const auto& mount : run.mounts) {
      if (mount.from) selected.push_back(content(*mount.from, mount.options.source, {}));
    }
    return plan::key_of(plan::run_key(run, on, selected, host_names));
  }

  plan::KeyParts parts_of_run() const { return plan::run_key(last<plan::Run>(), base, {}, {}); }

  hash::Digest directory(const hash::Digest& on = base) const {
    return plan::key_of(plan::directory_key(last<plan::MakeDirectory>(), on, {}));
  }

private:
  template <typename Action>
  const Action& last() const {
    const Action* found = nullptr;
    for (const auto& op : graph_.ops) {
      if (const auto* action = std::get_if<Action>(&op.action)) found = action;
    }
    if (found == nullptr) throw util::Error("no such op");
    return *found;
  }

  // Of what an op reads of the context.
  hash::Digest content(plan::OpId from, const std::string& path,
                       const std::vector<std::string>& excludes) const {
    const auto& local = std::get<plan::Local>(graph_.ops[from].action);
    const std::shared_ptr<solver::SourceTree> tree = solver::context_source(std::make_shared<context::Tree>(
        local.directory, context::load_ignore(local.directory, local.dockerfile)));
    solver::CopyOptions options;
    options.excludes = context::Ignore::from_patterns(excludes);
    return solver::content_of(tree, {{solver::follow(*tree, path), ""}}, options).digest;
  }

  plan::Graph graph_;
};

class CacheKey : public testing::Test {
protected:
  CacheKey() {
    for (const auto* path : {"a", "b", "p/d/file", "q/d/file"}) {
      fs::create_directories((context_ / path).parent_path());
      sys::write_file(context_ / path, "content");
    }
    ::chmod((context_ / "p/d").c_str(), 0755);
    ::chmod((context_ / "q/d").c_str(), 0755);
  }

  Keys keys(const std::string& instructions, const plan::Inputs& inputs = {}) const {
    return {"FROM base\n" + instructions, context_, inputs};
  }

  sys::TempDir temp_{testing::TempDir()};
  fs::path context_ = temp_.path();
};

constexpr auto copy_and_run = "COPY p/d /x\nRUN true\n";

TEST_F(CacheKey, StaysWhenASourceIsTouched) {
  const auto before = keys(copy_and_run).copy();
  const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1, .tv_nsec = 0}};
  ::utimensat(AT_FDCWD, (context_ / "p/d/file").c_str(), times, 0);
  EXPECT_EQ(keys(copy_and_run).copy(), before);
}

TEST_F(CacheKey, ChangesWithTheContentOfASource) {
  const auto before = keys(copy_and_run).copy();
  sys::write_file(context_ / "p/d/file", "other");
  EXPECT_NE(keys(copy_and_run).copy(), before);
}

TEST_F(CacheKey, StaysWhenAFileChangesThatIsNotCopied) {
  const auto before = keys(copy_and_run).copy();
  sys::write_file(context_ / "a", "other");
  EXPECT_EQ(keys(copy_and_run).copy(), before);
  const auto without = keys("COPY --exclude=file p/d /x\n").copy();
  sys::write_file(context_ / "p/d/file", "other");
  EXPECT_EQ(keys("COPY --exclude=file p/d /x\n").copy(), without);
}

TEST_F(CacheKey, ChangesWithTheModeOfAFile) {
  const auto before = keys(copy_and_run).copy();
  ::chmod((context_ / "p/d/file").c_str(), 0755);
  EXPECT_NE(keys(copy_and_run).copy(), before);
}

// A running buildkitd hits, because its copy of the context keeps the old mode; a fresh one misses, and so do
// we: the image would have the wrong mode.
TEST_F(CacheKey, ChangesWithTheModeOfADirectory) {
  const auto before = keys("COPY p /x\n").copy();
  ::chmod((context_ / "p/d").c_str(), 0700);
  EXPECT_NE(keys("COPY p /x\n").copy(), before);
}

// Whose content alone is copied.
TEST_F(CacheKey, StaysWithTheModeOfTheDirectoryThatIsTheSource) {
  const auto before = keys(copy_and_run).copy();
  ::chmod((context_ / "p/d").c_str(), 0700);
  EXPECT_EQ(keys(copy_and_run).copy(), before);
}

TEST_F(CacheKey, StaysWhenAFileOfTheContextChangesItsOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  const auto before = keys(copy_and_run).copy();
  ASSERT_EQ(::chown((context_ / "p/d/file").c_str(), 1234, 1234), 0);
  EXPECT_EQ(keys(copy_and_run).copy(), before);
}

TEST_F(CacheKey, StaysWhenAFileOfTheContextGetsAnExtendedAttribute) {
  const auto before = keys(copy_and_run).copy();
  if (::setxattr((context_ / "p/d/file").c_str(), "user.test", "1", 1, 0) != 0)
    GTEST_SKIP() << "the filesystem of the tests has no extended attributes";
  EXPECT_EQ(keys(copy_and_run).copy(), before);
}

TEST_F(CacheKey, ChangesWhenTwoFilesBecomeOne) {
  sys::write_file(context_ / "p/d/other", "content");
  const auto before = keys(copy_and_run).copy();
  fs::remove(context_ / "p/d/other");
  fs::create_hard_link(context_ / "p/d/file", context_ / "p/d/other");
  EXPECT_NE(keys(copy_and_run).copy(), before);
}

TEST_F(CacheKey, ChangesWithTheNameOfTheSource) {
  EXPECT_NE(keys("COPY a /x\n").copy(), keys("COPY b /x\n").copy());
}

TEST_F(CacheKey, StaysWithTheSourceInAnotherDirectory) {
  EXPECT_EQ(keys("COPY p/d /x\n").copy(), keys("COPY q/d /x\n").copy());
}

TEST_F(CacheKey, StaysWithTheContextInAnotherDirectory) {
  const auto before = keys(copy_and_run).copy();
  const sys::TempDir elsewhere{testing::TempDir()};
  fs::copy(context_, elsewhere.path(), fs::copy_options::recursive);
  EXPECT_EQ(Keys("FROM base\n" + std::string(copy_and_run), elsewhere.path()).copy(), before);
}

TEST_F(CacheKey, ChangesWithTheDestination) {
  EXPECT_NE(keys("COPY a /x\n").copy(), keys("COPY a /x/\n").copy());
}

TEST_F(CacheKey, StaysWithBlanksCommentsAndLineBreaks) {
  const auto one = keys("COPY a /x\nRUN true\n");
  const auto other = keys("# words\nCOPY   a \\\n  /x\n\nRUN   true\n");
  EXPECT_EQ(one.copy(), other.copy());
  EXPECT_EQ(one.run(), other.run());
}

TEST_F(CacheKey, StaysWithLabelsPortsAndCommands) {
  const auto one = keys(copy_and_run);
  const auto other = keys("LABEL a=b\nEXPOSE 80\nCMD [\"x\"]\n" + std::string(copy_and_run));
  EXPECT_EQ(one.copy(), other.copy());
  EXPECT_EQ(one.run(), other.run());
}

TEST_F(CacheKey, OfARunChangesWithUserEnvironmentAndArgumentsButNotOfACopy) {
  const auto one = keys(copy_and_run);
  plan::Inputs inputs;
  inputs.build_args["a"] = "b";
  for (const std::string before : {"USER 1\n", "ENV a=b\n", "ARG a\n"}) {
    const auto other = keys(before + copy_and_run, inputs);
    EXPECT_EQ(one.copy(), other.copy()) << before;
    EXPECT_NE(one.run(), other.run()) << before;
  }
}

TEST_F(CacheKey, ChangesWithAWorkingDirectory) {
  EXPECT_NE(keys("RUN true\n").run(), keys("WORKDIR /w\nRUN true\n").run());
  EXPECT_NE(keys("COPY a x\n").copy(), keys("WORKDIR /w\nCOPY a x\n").copy());
  EXPECT_NE(keys("WORKDIR /w\n").directory(), keys("WORKDIR /v\n").directory());
}

TEST_F(CacheKey, StaysWithProxies) {
  plan::Inputs inputs;
  inputs.build_args["http_proxy"] = "http://proxy.example.com";
  EXPECT_EQ(keys(copy_and_run).copy(), keys(copy_and_run, inputs).copy());
  EXPECT_EQ(keys(copy_and_run).run(), keys(copy_and_run, inputs).run());
}

TEST_F(CacheKey, OfARunChangesWithAnAddedHost) {
  EXPECT_NE(keys(copy_and_run).run(base), keys(copy_and_run).run(base, {"host"}));
}

TEST_F(CacheKey, OfARunChangesWithItsNetworkAndSecurity) {
  const auto one = keys("RUN true\n").run();
  EXPECT_NE(one, keys("RUN --network=none true\n").run());
  EXPECT_NE(one, keys("RUN --security=insecure true\n").run());
}

TEST_F(CacheKey, ChangesWithWhatTheOpStandsOn) {
  const auto ops = keys("WORKDIR /w\n" + std::string(copy_and_run));
  EXPECT_NE(ops.copy(base), ops.copy(other_base));
  EXPECT_NE(ops.run(base), ops.run(other_base));
  EXPECT_NE(ops.directory(base), ops.directory(other_base));
}

TEST_F(CacheKey, OfALinkedCopyStaysOnAnotherBase) {
  const auto linked = keys("COPY --link a /x\n");
  EXPECT_EQ(linked.copy(base), linked.copy(other_base));
  EXPECT_NE(linked.copy(base), keys("COPY a /x\n").copy(base));
}

TEST_F(CacheKey, StaysWithNoCacheWhichOnlyForbidsToLook) {
  plan::Inputs inputs;
  inputs.no_cache = true;
  EXPECT_EQ(keys(copy_and_run).run(), keys(copy_and_run, inputs).run());
  EXPECT_EQ(keys("WORKDIR /w\n").directory(), keys("WORKDIR /w\n", inputs).directory());
}

TEST_F(CacheKey, OfARunChangesWithWhatItsMountsShowButNotWithSecretsNorWhereFilesLie) {
  const auto one = keys("RUN --mount=source=p/d,target=/m true\n").run();
  EXPECT_EQ(one, keys("RUN --mount=source=q/d,target=/m true\n").run());
  EXPECT_NE(one, keys("RUN --mount=source=p/d,target=/n true\n").run());
  EXPECT_NE(one, keys("RUN --mount=source=p/d,target=/m,rw true\n").run());
  sys::write_file(context_ / "p/d/file", "other");
  EXPECT_NE(one, keys("RUN --mount=source=p/d,target=/m true\n").run());
  EXPECT_NE(keys("RUN --mount=type=cache,id=a,target=/m true\n").run(),
            keys("RUN --mount=type=cache,id=b,target=/m true\n").run());
  EXPECT_NE(keys("RUN --mount=type=secret,id=a true\n").run(),
            keys("RUN --mount=type=secret,id=b true\n").run());
}

TEST_F(CacheKey, OfACopyChangesWithEachOfItsFlags) {
  const auto plain = keys("COPY p/d /x\n").copy();
  for (const std::string flags : {"--chown=1:2", "--chmod=600", "--exclude=none", "--parents", "--link"})
    EXPECT_NE(plain, keys("COPY " + flags + " p/d /x\n").copy()) << flags;
}

TEST(Selection, IsNamedByItsFilesystemAndByWhatChoosesTheFiles) {
  const plan::Copy::Source source{.from = 0, .path = "d"};
  plan::Copy copy{};
  const auto name = plan::selection_identity(base, copy, source);
  EXPECT_EQ(plan::selection_identity(base, copy, source), name);
  EXPECT_NE(plan::selection_identity(other_base, copy, source), name);
  auto elsewhere = source;
  elsewhere.path = "e";
  EXPECT_NE(plan::selection_identity(base, copy, elsewhere), name);
  copy.excludes = {"x"};
  EXPECT_NE(plan::selection_identity(base, copy, source), name);
  copy = {};
  copy.destination = "/somewhere/else";
  EXPECT_EQ(plan::selection_identity(base, copy, source), name);
}

TEST(Checkout, IsNamedByItsCommitAndByWhatOfTheRepositoryIsKept) {
  const std::string commit(40, '1');
  plan::Git git;
  git.remote = "https://user:old@host/x.git";
  const auto name = plan::repository_identity(git, "main", commit);
  const auto after = [&](const auto& change, const std::string& ref = "main") {
    auto other = git;
    change(other);
    return plan::repository_identity(other, ref, commit);
  };
  EXPECT_EQ(after([](auto& it) { it.remote = "https://elsewhere/y.git"; }, "other"), name);
  EXPECT_EQ(after([](auto& it) { it.checksum = "11"; }), name);
  EXPECT_EQ(after([](auto& it) { it.keep_git_dir = false; }), name);
  EXPECT_NE(plan::repository_identity(git, "main", std::string(40, '2')), name);
  EXPECT_NE(after([](auto& it) { it.submodules = false; }), name);
  const auto below = after([](auto& it) { it.subdirectory = "a/b"; });
  EXPECT_NE(below, name);
  EXPECT_EQ(after([](auto& it) { it.subdirectory = "/a/./b/"; }), below);
  // Of a subdirectory no repository is kept.
  EXPECT_EQ(after([](auto& it) { it.subdirectory = "a/b", it.keep_git_dir = true; }), below);
  const auto keep = [](auto& it) { it.keep_git_dir = true; };
  const auto kept = after(keep);
  EXPECT_NE(kept, name);
  EXPECT_NE(after(keep, "other"), kept);
  EXPECT_NE(after([](auto& it) { it.keep_git_dir = true, it.remote = "https://elsewhere/y.git"; }), kept);
  // A login is no part of it.
  EXPECT_EQ(after([](auto& it) { it.keep_git_dir = true, it.remote = "https://user:new@host/x.git"; }), kept);
}

TEST(KeyParts, AreCalledByNamesThatAreReadBack) {
  for (const auto& part : Keys("FROM base\nENV a=b\nRUN true\n", fs::temp_directory_path()).parts_of_run()) {
    EXPECT_EQ(plan::key_part_kind(plan::to_string(part.kind)), part.kind);
  }
  EXPECT_EQ(plan::key_part_kind("nonsense"), std::nullopt);
}

}  // namespace
