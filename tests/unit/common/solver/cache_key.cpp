// What makes a step run again, and what does not: one change each, compared with BuildKit's behaviour.
#include "common/plan/cache_key.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <map>
#include <variant>

#include "common/context/sources.hpp"
#include "common/dockerfile/file.hpp"
#include "common/hash/sha256.hpp"
#include "common/plan/lower.hpp"
#include "common/solver/selection.hpp"
#include "common/sys/file.hpp"
#include "common/sys/temp_dir.hpp"

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

// The keys of a Dockerfile's ops, as the solver puts them together.
class Keys {
public:
  Keys(const std::string& dockerfile, const fs::path& context, const plan::Inputs& more = {},
       std::vector<std::string> host_names = {})
      : host_names_(std::move(host_names)) {
    plan::Inputs inputs = more;
    inputs.context = context;
    inputs.dockerfile = context / "Dockerfile";
    inputs.targets = {std::nullopt};
    OneBase images;
    graph_ = plan::lower(dockerfile::parse(dockerfile, {.name = "Dockerfile", .syntax = {}, .check = {}}),
                         inputs, images, [](const auto&...) {});
    for (plan::OpId id = 0; id < graph_.ops.size(); ++id)
      compute(id);
  }

  hash::Digest copy() const { return last<plan::Copy>(layers_); }
  hash::Digest run() const { return last<plan::Run>(layers_); }
  hash::Digest directory() const { return last<plan::MakeDirectory>(layers_); }

private:
  template <typename Action>
  hash::Digest last(const std::map<plan::OpId, hash::Digest>& keys) const {
    std::optional<hash::Digest> found;
    for (plan::OpId id = 0; id < graph_.ops.size(); ++id) {
      if (std::holds_alternative<Action>(graph_.ops[id].action)) found = keys.at(id);
    }
    return found.value();
  }

  hash::Digest content(plan::OpId from, const std::string& path, const std::vector<std::string>& excludes) {
    const auto* local = std::get_if<plan::Local>(&graph_.ops[from].action);
    if (local == nullptr) return filesystems_.at(from);  // of other stages the tests compare whole results
    const auto tree = solver::context_source(std::make_shared<context::Tree>(
        local->directory, context::load_ignore(local->directory, local->dockerfile)));
    return solver::content_of(*tree, {.places = {{solver::follow(*tree, path), ""}},
                                      .include = {},
                                      .excludes = context::Ignore::from_patterns(excludes)});
  }

  void compute(plan::OpId id) {
    const auto& action = graph_.ops[id].action;
    if (const auto* copy = std::get_if<plan::Copy>(&action)) {
      std::vector<hash::Digest> selected;
      for (const auto& source : copy->sources)
        selected.push_back(content(source.from, source.path, copy->excludes));
      const auto base = filesystems_.at(copy->base);
      const auto accounts =
          plan::reads_accounts(*copy) ? std::optional(hash::sha256("accounts")) : std::nullopt;
      layers_.insert({id, plan::copy_key(*copy, base, selected, accounts)});
      filesystems_.insert({id, copy->link ? plan::stacked_key(base, layers_.at(id)) : layers_.at(id)});
    } else if (const auto* run = std::get_if<plan::Run>(&action)) {
      std::vector<hash::Digest> selected;
      for (const auto& mount : run->mounts) {
        if (mount.from) selected.push_back(content(*mount.from, mount.options.source, {}));
      }
      put(id, plan::run_key(*run, filesystems_.at(run->root), selected, host_names_));
    } else if (const auto* directory = std::get_if<plan::MakeDirectory>(&action)) {
      put(id, plan::directory_key(*directory, filesystems_.at(directory->base), {}, {}));
    } else if (std::holds_alternative<plan::Pull>(action)) {
      put(id, plan::image_key({hash::sha256("layer")}));
    } else if (const auto* file = std::get_if<plan::MakeFile>(&action)) {
      put(id, plan::file_key(*file));
    } else {
      put(id, plan::scratch_key());
    }
  }

  void put(plan::OpId id, const hash::Digest& key) {
    layers_.insert({id, key});
    filesystems_.insert({id, key});
  }

  plan::Graph graph_;
  std::vector<std::string> host_names_;
  std::map<plan::OpId, hash::Digest> layers_;
  std::map<plan::OpId, hash::Digest> filesystems_;
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

  Keys keys(const std::string& instructions, const plan::Inputs& inputs = {},
            std::vector<std::string> host_names = {}) const {
    return {"FROM base\n" + instructions, context_, inputs, std::move(host_names)};
  }

  sys::TempDir temp_{testing::TempDir()};
  fs::path context_ = temp_.path();
};

constexpr auto copy_and_run = "COPY p/d /x\nRUN true\n";

TEST_F(CacheKey, StaysWhenASourceIsTouched) {
  const auto before = keys(copy_and_run);
  const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1, .tv_nsec = 0}};
  ::utimensat(AT_FDCWD, (context_ / "p/d/file").c_str(), times, 0);
  EXPECT_EQ(keys(copy_and_run).copy(), before.copy());
  EXPECT_EQ(keys(copy_and_run).run(), before.run());
}

TEST_F(CacheKey, ChangesWithTheContentOfASource) {
  const auto before = keys(copy_and_run);
  sys::write_file(context_ / "p/d/file", "other");
  EXPECT_NE(keys(copy_and_run).copy(), before.copy());
  EXPECT_NE(keys(copy_and_run).run(), before.run());
}

TEST_F(CacheKey, StaysWhenAFileChangesThatIsNotCopied) {
  const auto before = keys(copy_and_run);
  sys::write_file(context_ / "a", "other");
  EXPECT_EQ(keys(copy_and_run).copy(), before.copy());
  const auto without = keys("COPY --exclude=file p/d /x\n");
  sys::write_file(context_ / "p/d/file", "other");
  EXPECT_EQ(keys("COPY --exclude=file p/d /x\n").copy(), without.copy());
}

TEST_F(CacheKey, ChangesWithTheModeOfAFile) {
  const auto before = keys(copy_and_run);
  ::chmod((context_ / "p/d/file").c_str(), 0755);
  EXPECT_NE(keys(copy_and_run).copy(), before.copy());
  EXPECT_NE(keys(copy_and_run).run(), before.run());
}

// A running buildkitd hits, because its copy of the context keeps the old mode; a fresh one misses, and so do
// we: the image would have the wrong mode.
TEST_F(CacheKey, ChangesWithTheModeOfADirectory) {
  const auto before = keys(copy_and_run);
  ::chmod((context_ / "p/d").c_str(), 0700);
  EXPECT_NE(keys(copy_and_run).copy(), before.copy());
}

TEST_F(CacheKey, StaysWhenAFileOfTheContextChangesItsOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto before = keys(copy_and_run);
  ASSERT_EQ(::chown((context_ / "p/d/file").c_str(), 1234, 1234), 0);
  EXPECT_EQ(keys(copy_and_run).copy(), before.copy());
  EXPECT_EQ(keys(copy_and_run).run(), before.run());
}

TEST_F(CacheKey, StaysWhenAFileOfTheContextGetsAnExtendedAttribute) {
  const auto before = keys(copy_and_run);
  if (::setxattr((context_ / "p/d/file").c_str(), "user.test", "1", 1, 0) != 0)
    GTEST_SKIP() << "no extended attributes here";
  EXPECT_EQ(keys(copy_and_run).copy(), before.copy());
}

TEST_F(CacheKey, ChangesWhenTwoFilesBecomeOne) {
  sys::write_file(context_ / "p/d/other", "content");
  const auto before = keys(copy_and_run);
  fs::remove(context_ / "p/d/other");
  fs::create_hard_link(context_ / "p/d/file", context_ / "p/d/other");
  EXPECT_NE(keys(copy_and_run).copy(), before.copy());
  EXPECT_NE(keys(copy_and_run).run(), before.run());
}

TEST_F(CacheKey, ChangesWithTheNameOfTheSource) {
  EXPECT_NE(keys("COPY a /x\nRUN true\n").copy(), keys("COPY b /x\nRUN true\n").copy());
  EXPECT_NE(keys("COPY a /x\nRUN true\n").run(), keys("COPY b /x\nRUN true\n").run());
}

TEST_F(CacheKey, StaysWithTheSourceInAnotherDirectory) {
  EXPECT_EQ(keys("COPY p/d /x\nRUN true\n").copy(), keys("COPY q/d /x\nRUN true\n").copy());
  EXPECT_EQ(keys("COPY p/d /x\nRUN true\n").run(), keys("COPY q/d /x\nRUN true\n").run());
}

TEST_F(CacheKey, StaysWithTheContextInAnotherDirectory) {
  const auto before = keys(copy_and_run);
  const sys::TempDir elsewhere{testing::TempDir()};
  fs::copy(context_, elsewhere.path(), fs::copy_options::recursive);
  EXPECT_EQ(Keys("FROM base\n" + std::string(copy_and_run), elsewhere.path()).run(), before.run());
}

TEST_F(CacheKey, ChangesWithTheDestination) {
  EXPECT_NE(keys("COPY a /x\nRUN true\n").copy(), keys("COPY a /x/\nRUN true\n").copy());
  EXPECT_NE(keys("COPY a /x\nRUN true\n").run(), keys("COPY a /x/\nRUN true\n").run());
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
  const auto one = keys(copy_and_run);
  const auto other = keys("WORKDIR /w\n" + std::string(copy_and_run));
  EXPECT_NE(one.copy(), other.copy());
  EXPECT_NE(one.run(), other.run());
}

TEST_F(CacheKey, StaysWithProxies) {
  plan::Inputs inputs;
  inputs.build_args["http_proxy"] = "http://proxy.example.com";
  EXPECT_EQ(keys(copy_and_run).copy(), keys(copy_and_run, inputs).copy());
  EXPECT_EQ(keys(copy_and_run).run(), keys(copy_and_run, inputs).run());
}

TEST_F(CacheKey, OfARunChangesWithAnAddedHostButNotOfACopy) {
  EXPECT_EQ(keys(copy_and_run).copy(), keys(copy_and_run, {}, {"host"}).copy());
  EXPECT_NE(keys(copy_and_run).run(), keys(copy_and_run, {}, {"host"}).run());
}

TEST_F(CacheKey, OfARunChangesWithItsNetworkAndSecurity) {
  const auto one = keys("RUN true\n").run();
  EXPECT_NE(one, keys("RUN --network=none true\n").run());
  EXPECT_NE(one, keys("RUN --security=insecure true\n").run());
}

TEST_F(CacheKey, ChangesWithAnEarlierLayer) {
  const auto one = keys("RUN one\n" + std::string(copy_and_run));
  const auto other = keys("RUN other\n" + std::string(copy_and_run));
  EXPECT_NE(one.copy(), other.copy());
  EXPECT_NE(one.run(), other.run());
}

TEST_F(CacheKey, OfALinkedCopyStaysWithAnEarlierLayerButNotOfTheRunAfterIt) {
  const auto one = keys("RUN one\nCOPY --link a /x\nRUN true\n");
  const auto other = keys("RUN other\nCOPY --link a /x\nRUN true\n");
  EXPECT_EQ(one.copy(), other.copy());
  EXPECT_NE(one.run(), other.run());
  EXPECT_NE(one.copy(), keys("RUN one\nCOPY a /x\nRUN true\n").copy());
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

TEST_F(CacheKey, OfAnOwnerGivenByNameAsksForTheAccounts) {
  const auto asks = [](const std::string& owner) {
    plan::Copy copy{};
    copy.chown = owner;
    return plan::reads_accounts(copy);
  };
  EXPECT_FALSE(asks(""));
  EXPECT_FALSE(asks("1"));
  EXPECT_FALSE(asks("1:2"));
  EXPECT_TRUE(asks("user"));
  EXPECT_TRUE(asks("1:group"));
  EXPECT_NE(keys("COPY --chown=user a /x\n").copy(), keys("COPY --chown=other a /x\n").copy());
}

TEST(SourceKey, OfAnImageIsThatOfItsLayersInOrder) {
  const auto a = hash::sha256("a");
  const auto b = hash::sha256("b");
  EXPECT_EQ(plan::image_key({a, b}), plan::image_key({a, b}));
  EXPECT_NE(plan::image_key({a, b}), plan::image_key({b, a}));
  EXPECT_NE(plan::image_key({}), plan::scratch_key());
}

TEST(SourceKey, OfADownloadIsThatOfWhatCame) {
  plan::Http http{.url = "https://example.com/a", .file_name = "a", .checksum = {}};
  const auto key = plan::download_key(http, hash::sha256("content"), "yesterday");
  auto elsewhere = http;
  elsewhere.url = "https://mirror.example.com/a";
  EXPECT_EQ(plan::download_key(elsewhere, hash::sha256("content"), "yesterday"), key);
  EXPECT_NE(plan::download_key(http, hash::sha256("other"), "yesterday"), key);
  EXPECT_NE(plan::download_key(http, hash::sha256("content"), "today"), key);
}

TEST(SourceKey, OfACheckoutIsItsCommit) {
  plan::Git git{.remote = "https://example.com/a.git", .ref = "main", .subdirectory = {}, .checksum = {}};
  const auto key = plan::checkout_key(git, "0123");
  auto tag = git;
  tag.ref = "v1";
  EXPECT_EQ(plan::checkout_key(tag, "0123"), key);
  EXPECT_NE(plan::checkout_key(git, "4567"), key);
  git.keep_git_dir = tag.keep_git_dir = true;
  EXPECT_NE(plan::checkout_key(tag, "0123"), plan::checkout_key(git, "0123"));
}

}  // namespace
