// What RUN --mount and secrets become in a step.
#include <sys/mount.h>

#include <cstdlib>
#include <system_error>

#include "common/sys/proc.hpp"
#include "common/util/error.hpp"
#include "tests/support/listening_socket.hpp"
#include "tests/unit/common/solver/running.hpp"

namespace solver {
namespace {

using dockerfile::MountType;
namespace fs = std::filesystem;
using test::default_path;
using test::Lines;

class RunMounts : public test::Running {
protected:
  // What the step sees at `path` of its only bind mount.
  void look(const std::string& path) {
    sandbox_.step = [this, path](const sandbox::Spec& spec, const sandbox::Output&) {
      seen_ = sys::read_file(sys::link_of(spec.binds.at(0).place) + path);
      return sys::ExitStatus{};
    };
  }

  // The step writes to a file of its only bind mount; the error number if it cannot.
  int write_to(const std::string& name, const std::string& content) {
    int error = 0;
    sandbox_.step = [&](const sandbox::Spec& spec, const sandbox::Output&) {
      const sys::UniqueFd file(::open((sys::link_of(spec.binds.at(0).place) + "/" + name).c_str(),
                                      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
      error = file ? 0 : errno;
      if (file) sys::write_all(file.get(), content, name);
      return sys::ExitStatus{};
    };
    run();
    return error;
  }

  std::string seen_;
};

TEST_F(RunMounts, BindOfAStageShowsItAtItsTarget) {
  inputs_[other] = filesystem({{"d/f", "content"}});
  auto& options = mount(MountType::bind, other);
  options.source = "/d";
  options.target = "/mnt";
  look("/f");
  EXPECT_EQ(lines(run()), Lines{});
  EXPECT_EQ(seen_, "content");
  ASSERT_EQ(sandbox_.spec.binds.size(), 1U);
  EXPECT_EQ(sandbox_.spec.binds[0].target, "/mnt");
  EXPECT_TRUE(sandbox_.spec.binds[0].read_only);
}

TEST_F(RunMounts, BindFollowsLinksInsideItsStageAlone) {
  inputs_[other] = filesystem({{"real/f", "inside"}});
  const auto& tree = inputs_[other].stack.trees.front();
  fs::create_symlink("/real", tree / "absolute");
  fs::create_symlink("../../../real", tree / "up");
  auto& options = mount(MountType::bind, other);
  for (const char* link : {"absolute", "up"}) {
    options.source = link;
    look("/f");
    run();
    EXPECT_EQ(seen_, "inside") << link;
  }
}

TEST_F(RunMounts, WritesToABindAreThrownAway) {
  inputs_[other] = filesystem({{"f", "old"}});
  mount(MountType::bind, other).read_only = false;
  EXPECT_EQ(write_to("f", "new"), 0);
  EXPECT_FALSE(sandbox_.spec.binds[0].read_only);
  EXPECT_EQ(sys::read_file(inputs_[other].stack.trees.front() / "f"), "old");
}

TEST_F(RunMounts, BindOfTheContextShowsOneCopyToAllSteps) {
  inputs_[other] = context({{"d/f", "content"}});
  mount(MountType::bind, other).source = "d";
  std::vector<ino_t> files;
  sandbox_.step = [&](const sandbox::Spec& spec, const sandbox::Output&) {
    struct stat status {};
    EXPECT_EQ(::stat((sys::link_of(spec.binds.at(0).place) + "/f").c_str(), &status), 0);
    files.push_back(status.st_ino);
    return sys::ExitStatus{};
  };
  run();
  run();
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0], files[1]);
}

TEST_F(RunMounts, WritesToABindOfTheContextReachNoOtherStep) {
  inputs_[other] = context({{"f", "old"}});
  mount(MountType::bind, other).read_only = false;
  EXPECT_EQ(write_to("f", "new"), 0);
  look("/f");
  run();
  EXPECT_EQ(seen_, "old");
}

TEST_F(RunMounts, BindOfWhatIsNotThereFails) {
  auto& options = mount(MountType::bind, other);
  options.source = "/gone";
  for (const auto& files : {filesystem({}), context({})}) {
    inputs_[other] = files;
    EXPECT_NE(failure().find("\"/gone\": not found"), std::string::npos) << failure();
  }
  // What is in the root of the step turns out when that is set up.
  op_.mounts.front().from = base;
  EXPECT_EQ(failure(),
            R"(process "tool --flag" did not complete successfully: open /gone: no such file or directory)");
}

TEST_F(RunMounts, BindOfTheContextIsLookedForBefore) {
  const auto files = context({{"there", ""}});
  mount(MountType::bind, other).source = "there";
  EXPECT_EQ(test::error_of([&] { require_sources(op_, other, *files.local); }), "no error");
  op_.mounts.front().options.source = "gone";
  EXPECT_NE(test::error_of([&] { require_sources(op_, other, *files.local); }).find("\"/gone\": not found"),
            std::string::npos);
  EXPECT_EQ(test::error_of([&] { require_sources(op_, base, *files.local); }), "no error");
}

TEST_F(RunMounts, ContentOfAMountIsThatOfItsSource) {
  mount(MountType::bind, other).source = "d";
  const auto digest = [&](const Filesystem& files) {
    return content(op_.mounts.front(), files, snapshotter(), cancel()).digest;
  };
  const auto first = digest(context({{"d/f", "content"}, {"beside", "1"}}));
  EXPECT_EQ(digest(filesystem({{"d/f", "content"}, {"beside", "2"}})), first);
  EXPECT_NE(digest(filesystem({{"d/f", "other"}})), first);
  EXPECT_NE(test::error_of([&] { digest(filesystem({})); }).find("not found"), std::string::npos);
  op_.mounts.front().options.type = MountType::cache;
  EXPECT_EQ(test::error_of([&] { digest(filesystem({})); }), "no error");
}

TEST_F(RunMounts, TmpfsIsOfTheSizeThatIsAskedFor) {
  mount(MountType::tmpfs).target = "/any";
  auto& limited = mount(MountType::tmpfs);
  limited.target = "/small";
  limited.size_limit = 4096;
  const auto tmpfs = spec().tmpfs;
  ASSERT_EQ(tmpfs.size(), 2U);
  EXPECT_EQ(tmpfs[0].target, "/any");
  EXPECT_EQ(tmpfs[0].size, std::nullopt);
  EXPECT_EQ(tmpfs[1].size, 4096U);
}

TEST_F(RunMounts, CacheKeepsWhatAStepLeavesInIt) {
  auto& options = mount(MountType::cache);
  options.id = options.target = "/cache";
  options.read_only = false;
  EXPECT_EQ(write_to("f", "kept"), 0);
  EXPECT_EQ(sandbox_.spec.binds[0].target, "/cache");
  look("/f");
  EXPECT_EQ(lines(run()), Lines{});
  EXPECT_EQ(seen_, "kept");
  options.id = "another";
  EXPECT_NE(failure().find("cannot open"), std::string::npos);
}

TEST_F(RunMounts, CacheBeginsWithWhatItIsFrom) {
  inputs_[other] = filesystem({{"d/f", "first"}});
  auto& options = mount(MountType::cache, other);
  options.source = "/d";
  look("/f");
  run();
  EXPECT_EQ(seen_, "first");
  options.source = "/gone";
  EXPECT_EQ(failure(),
            R"(process "tool --flag" did not complete successfully: open /gone: no such file or directory)");
}

TEST_F(RunMounts, FullCacheIsTheReasonOfAFailure) {
  ASSERT_EQ(::mount("tmpfs", state().c_str(), "tmpfs", 0, "size=256k,mode=755"), 0);
  mount(MountType::cache).id = "full one";
  sandbox_.step = [](const sandbox::Spec& spec, const sandbox::Output&) {
    EXPECT_THROW(sys::write_file(sys::link_of(spec.binds.at(0).place) + "/f", std::string(1 << 20, 'x')),
                 util::Error);
    return sys::ExitStatus{.code = 1};
  };
  try {
    run();
    ADD_FAILURE() << "did not fail";
  } catch (const util::Error& error) {
    EXPECT_EQ(error.cause().code, std::errc::no_space_on_device);
    EXPECT_NE(
        std::string(error.what()).find("exit code: 1; nothing more can be written to its cache 'full one'"),
        std::string::npos)
        << error.what();
  }
  EXPECT_EQ(::umount2(state().c_str(), MNT_DETACH), 0);
}

TEST_F(RunMounts, SecretIsAFileForTheStepsUserAlone) {
  ::setenv("TEST_SECRET", "from a variable", 1);
  const auto file = directory({{"secret", "from a file\n"}}) / "secret";
  give([&] {
    document::Request request;
    request.secrets = {{.id = "variable", .env = "TEST_SECRET", .file = {}},
                       {.id = "file", .env = {}, .file = file}};
    return request;
  }());
  auto& usual = mount(MountType::secret);
  usual.id = "variable";
  usual.target = "/run/secrets/variable";
  auto& given = mount(MountType::secret);
  given.id = "file";
  given.target = "sub/secret";
  given.mode = 01640;
  given.uid = 5;
  given.gid = 6;
  const auto files = spec().files;
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].target, "/run/secrets/variable");
  EXPECT_EQ(files[0].content, "from a variable");
  EXPECT_EQ(files[0].mode, 0400U);
  EXPECT_EQ(files[0].uid, 0U);
  EXPECT_EQ(files[1].target, "/app/sub/secret");
  EXPECT_EQ(files[1].content, "from a file\n");
  EXPECT_EQ(files[1].mode, 0640U);
  EXPECT_EQ(files[1].uid, 5U);
  EXPECT_EQ(files[1].gid, 6U);
  EXPECT_EQ(sandbox_.spec.env, (Lines{default_path}));
  ::unsetenv("TEST_SECRET");
}

TEST_F(RunMounts, SecretIsAVariableWhereOneIsNamed) {
  const auto file = directory({{"secret", "value"}}) / "secret";
  give([&] {
    document::Request request;
    request.secrets = {{.id = "s", .env = {}, .file = file}};
    return request;
  }());
  auto& options = mount(MountType::secret);
  options.id = "s";
  options.env = "TOKEN";
  EXPECT_EQ(spec().env, (Lines{default_path, "TOKEN=value"}));
  EXPECT_TRUE(sandbox_.spec.files.empty());
  op_.mounts.front().options.target = "/f";
  EXPECT_EQ(spec().files.size(), 1U);
}

TEST_F(RunMounts, SecretThatNobodyGivesIsLeftOutUnlessItIsRequired) {
  auto& options = mount(MountType::secret);
  options.id = "gone";
  options.target = "/f";
  options.env = "TOKEN";
  EXPECT_EQ(spec().env, (Lines{default_path, "TOKEN="}));
  EXPECT_TRUE(sandbox_.spec.files.empty());
  op_.mounts.front().options.required = true;
  EXPECT_TRUE(failure().starts_with("secret gone: not found; ")) << failure();
}

class RunSshMounts : public RunMounts {
protected:
  // An agent that listens, as far as anybody looks.
  void give_agent() {
    const auto path = directory({}) / "agent";
    agent_ = test::make_socket(path);
    document::Request request;
    request.ssh = {{.id = "default", .env = {}, .paths = {path}}};
    give(request);
  }

private:
  sys::UniqueFd agent_;
};

TEST_F(RunSshMounts, AgentIsASocketThatAVariableNames) {
  give_agent();
  for (int i = 0; i < 2; ++i)
    mount(MountType::ssh).id = "default";
  auto& given = mount(MountType::ssh);
  given.id = "default";
  given.target = "sub/agent";
  given.mode = 0666;
  given.uid = 5;
  sandbox_.step = [](const sandbox::Spec& spec, const sandbox::Output&) {
    struct stat status {};
    EXPECT_EQ(::stat(spec.binds.at(0).source.c_str(), &status), 0);
    EXPECT_TRUE(S_ISSOCK(status.st_mode));
    EXPECT_EQ(status.st_mode & 07777, 0600U);
    EXPECT_EQ(::stat(spec.binds.at(2).source.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0666U);
    EXPECT_EQ(status.st_uid, 5U);
    return sys::ExitStatus{};
  };
  const auto spec = this->spec();
  EXPECT_EQ(spec.env, (Lines{default_path, "SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0"}));
  ASSERT_EQ(spec.binds.size(), 3U);
  EXPECT_EQ(spec.binds[0].target, "/run/buildkit/ssh_agent.0");
  EXPECT_EQ(spec.binds[1].target, "/run/buildkit/ssh_agent.1");
  EXPECT_EQ(spec.binds[2].target, "/app/sub/agent");
  EXPECT_FALSE(fs::exists(spec.binds[0].source));
}

TEST_F(RunSshMounts, VariableOfTheImageStays) {
  op_.environment = {"SSH_AUTH_SOCK=/mine"};
  mount(MountType::ssh).id = "default";
  EXPECT_EQ(spec().env, (Lines{"SSH_AUTH_SOCK=/mine", default_path}));
}

TEST_F(RunSshMounts, AgentThatNobodyGivesIsLeftOutUnlessItIsRequired) {
  mount(MountType::ssh).id = "default";
  EXPECT_EQ(spec().env, (Lines{default_path, "SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0"}));
  EXPECT_TRUE(sandbox_.spec.binds.empty());
  op_.mounts.front().options.required = true;
  EXPECT_TRUE(failure().starts_with("no SSH key \"\" forwarded from the client; ")) << failure();
  give_agent();
  op_.mounts.front().options.id = "gone";
  EXPECT_TRUE(failure().starts_with("unset ssh forward key gone; ")) << failure();
}

}  // namespace
}  // namespace solver
