// What a step is given besides its mounts, and what comes of how it ends.
#include "common/solver/run_op.hpp"

#include <sys/mount.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "common/dockerfile/source.hpp"
#include "common/util/error.hpp"
#include "tests/unit/common/solver/running.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;
using test::default_path;
using test::Lines;

class RunOp : public test::Running {
protected:
  // The step does this to its root and ends well.
  void do_in_root(const std::function<void(const fs::path& root)>& what) {
    sandbox_.step = [what](const sandbox::Spec& spec, const sandbox::Output&) {
      what(spec.root);
      return sys::ExitStatus{};
    };
  }

  void end_with(const sys::ExitStatus& status) {
    sandbox_.step = [status](const sandbox::Spec&, const sandbox::Output&) { return status; };
  }

  void refuse_to_start(const std::string& message, int error = 0) {
    sandbox_.step = [=](const sandbox::Spec&, const sandbox::Output&) -> sys::ExitStatus {
      throw sandbox::StartError(message, 1, {.code = {error, std::generic_category()}});
    };
  }
};

TEST_F(RunOp, StepIsWhatTheDockerfileSays) {
  op_.user = "me:staff";
  op_.hostname = "builder";
  op_.network = dockerfile::Network::none;
  const auto spec = this->spec();
  EXPECT_EQ(spec.args, (Lines{"tool", "--flag"}));
  EXPECT_EQ(spec.working_dir, "/app");
  EXPECT_EQ(spec.user, "me:staff");
  EXPECT_EQ(spec.hostname, "builder");
  EXPECT_EQ(spec.network, sandbox::Network::none);
  EXPECT_FALSE(spec.insecure);
  EXPECT_TRUE(spec.binds.empty() && spec.tmpfs.empty() && spec.files.empty() && spec.hosts.empty());
}

TEST_F(RunOp, StepHasTheUsualNameAndTheMachinesNetwork) {
  EXPECT_EQ(spec().hostname, "buildkitsandbox");
  EXPECT_EQ(spec().network, sandbox::Network::shared);
  op_.network = dockerfile::Network::host;
  op_.security = dockerfile::Security::insecure;
  EXPECT_EQ(spec().network, sandbox::Network::host);
  EXPECT_TRUE(spec().insecure);
}

TEST_F(RunOp, VariablesAreTheImagesAndAPathWhereItHasNone) {
  op_.environment = {"A=1", "B="};
  EXPECT_EQ(spec().env, (Lines{"A=1", "B=", default_path}));
  op_.environment = {"PATH=/mine", "A=1"};
  EXPECT_EQ(spec().env, (Lines{"PATH=/mine", "A=1"}));
  op_.environment = {"PATHS=/mine"};
  EXPECT_EQ(spec().env, (Lines{"PATHS=/mine", default_path}));
}

TEST_F(RunOp, ProxiesWinOverTheImageAndEmptyOnesAreNone) {
  op_.environment = {"HTTP_PROXY=image", "HTTP_PROXY_2=image", "no_proxy=image"};
  proxies_ = {{"HTTP_PROXY", "http://proxy:1"}, {"http_proxy", "http://proxy:1"}, {"no_proxy", ""}};
  EXPECT_EQ(spec().env, (Lines{"HTTP_PROXY_2=image", "no_proxy=image", default_path,
                               "HTTP_PROXY=http://proxy:1", "http_proxy=http://proxy:1"}));
}

TEST_F(RunOp, HostsAreLinesOfTheStepsHostsFile) {
  hosts_ = {{.host = "one.test", .ip = "10.0.0.1"}, {.host = "two.test", .ip = "fd00::2"}};
  EXPECT_EQ(spec().hosts, (Lines{"10.0.0.1\tone.test", "fd00::2\ttwo.test"}));
}

TEST_F(RunOp, ScriptIsAFileThatIsGoneAfterwards) {
  op_.script = {.name = "EOF", .content = "#!/bin/sh\n"};
  const auto files = spec().files;
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].target, "/dev/pipes/EOF");
  EXPECT_EQ(files[0].content, "#!/bin/sh\n");
  EXPECT_EQ(files[0].mode, 0755U);
}

TEST_F(RunOp, ChangeIsWhatTheStepDidToItsRoot) {
  inputs_.at(base) = filesystem({{"kept", ""}, {"changed", "old"}, {"d/removed", ""}});
  do_in_root([](const fs::path& root) {
    EXPECT_TRUE(fs::exists(root / "kept"));
    sys::write_file(root / "changed", "new");
    fs::remove(root / "d/removed");
    fs::create_symlink("kept", root / "link");
  });
  EXPECT_EQ(lines(run()),
            (Lines{"f 644 0:0 changed: new", "d 755 0:0 d", "gone d/removed", "l link -> kept"}));
  EXPECT_EQ(sys::read_file(inputs_.at(base).stack.trees.front() / "changed"), "old");
}

TEST_F(RunOp, NothingOfTheRootChangesOnceTheStepHasEnded) {
  sys::UniqueFd kept;
  do_in_root([&](const fs::path& root) {
    kept = sys::UniqueFd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  });
  const auto change = run();
  EXPECT_LT(::openat(kept.get(), "late", O_WRONLY | O_CREAT | O_CLOEXEC, 0644), 0);
  EXPECT_EQ(errno, EROFS);
  EXPECT_EQ(lines(change), Lines{});
}

TEST_F(RunOp, OutputIsShownAsItComes) {
  sandbox_.step = [](const sandbox::Spec&, const sandbox::Output& output) {
    output("hello\n");
    return sys::ExitStatus{};
  };
  run();
  EXPECT_NE(shown().find(" hello\n"), std::string::npos) << shown();
}

TEST_F(RunOp, FailureNamesTheProcessAndItsExitCode) {
  op_.arguments = {"/bin/sh", "-c", "exit \"3\""};
  end_with({.code = 3});
  EXPECT_EQ(failure(), R"(process "/bin/sh -c exit \"3\"" did not complete successfully: exit code: 3)");
  op_.arguments = {"tool"};
  end_with({.signal = 9});
  EXPECT_EQ(failure(), R"(process "tool" did not complete successfully: exit code: 137)");
  EXPECT_TRUE(fs::is_empty(trees().directory()));
}

TEST_F(RunOp, StepThatCannotStartSaysWhyInItsLog) {
  refuse_to_start("exec: \"tool\": not found");
  EXPECT_EQ(failure(), R"(process "tool --flag" did not complete successfully: exit code: 1)");
  EXPECT_NE(shown().find(" exec: \"tool\": not found\n"), std::string::npos) << shown();
}

TEST_F(RunOp, WhatIsWrongWithTheMachineIsNoMatterOfTheStepsLog) {
  sandbox_.step = [](const sandbox::Spec&, const sandbox::Output&) -> sys::ExitStatus {
    throw util::Error("no process can be made");
  };
  EXPECT_EQ(failure(), R"(process "tool --flag" did not complete successfully: no process can be made)");
  EXPECT_EQ(shown().find("no process"), std::string::npos);
}

TEST_F(RunOp, StepIsToldOfTheEndOfTheBuild) {
  sandbox_.step = [&](const sandbox::Spec& spec, const sandbox::Output&) {
    canceller_.cancel();
    spec.cancel.check();
    return sys::ExitStatus{};
  };
  EXPECT_NE(failure().find("cancelled"), std::string::npos);
}

TEST_F(RunOp, FullDiskIsTheReasonOfAFailure) {
  ASSERT_EQ(::mount("tmpfs", trees().directory().c_str(), "tmpfs", 0, "size=64k,mode=755"), 0);
  sys::write_file(trees().directory() / "filler", std::string(48 << 10, 'x'));
  end_with({.code = 2});
  try {
    run();
    ADD_FAILURE() << "did not fail";
  } catch (const util::Error& error) {
    EXPECT_EQ(error.cause().code, std::errc::no_space_on_device);
    EXPECT_NE(std::string(error.what()).find("exit code: 2; the disk of the build is full, "),
              std::string::npos)
        << error.what();
  }
  EXPECT_EQ(::umount2(trees().directory().c_str(), MNT_DETACH), 0);
}

// An architecture that no kernel here runs, and an emulator of that name on PATH.
class ForeignStep : public RunOp {
protected:
  void SetUp() override {
    RunOp::SetUp();
    op_.platform = {.os = "linux", .architecture = "nosuch", .variant = ""};
  }
  void TearDown() override { ::setenv("PATH", path_.c_str(), 1); }

  fs::path put_emulator_on_path() {
    auto emulator = directory({}) / "buildkit-qemu-nosuch";
    sys::write_file(emulator, "emulator", 0755);
    ::setenv("PATH", (emulator.parent_path().string() + ":" + path_).c_str(), 1);
    return emulator;
  }

private:
  std::string path_ = std::getenv("PATH");
};

TEST_F(ForeignStep, IsStartedByAnEmulatorThatIsGivenItsPath) {
  const auto emulator = put_emulator_on_path();
  op_.environment = {"PATH=/sbin:/bin"};
  const auto spec = this->spec();
  EXPECT_EQ(spec.args, (Lines{"/dev/.buildkit_qemu_emulator", "/bin/tool", "--flag"}));
  ASSERT_EQ(spec.binds.size(), 1U);
  EXPECT_EQ(spec.binds[0].source, emulator);
  EXPECT_EQ(spec.binds[0].target, "/dev/.buildkit_qemu_emulator");
  EXPECT_TRUE(spec.binds[0].read_only);
}

TEST_F(ForeignStep, KeepsAProgramOfAPathAndOneThatIsNowhere) {
  put_emulator_on_path();
  op_.arguments = {"./tool"};
  EXPECT_EQ(spec().args.back(), "./tool");
  op_.arguments = {"gone"};
  EXPECT_EQ(spec().args.back(), "gone");
}

TEST_F(ForeignStep, WithoutAnEmulatorSaysWhatHelps) {
  refuse_to_start("exec format error", ENOEXEC);
  const auto message = failure();
  EXPECT_TRUE(
      message.starts_with(R"(process "tool --flag" did not complete successfully: exec format error; )"))
      << message;
  EXPECT_TRUE(message.ends_with("or put a static QEMU on PATH as buildkit-qemu-nosuch")) << message;
  op_.platform = image::Platform::host();
  EXPECT_EQ(failure(), R"(process "tool --flag" did not complete successfully: exit code: 1)");
}

TEST(Entitlements, AreAskedForByTheStepAndGivenByTheRequest) {
  plan::Run op = {};
  document::Request request;
  EXPECT_EQ(test::error_of([&] { require_entitlements(op, request); }), "no error");
  op.network = dockerfile::Network::host;
  EXPECT_TRUE(test::error_of([&] {
                require_entitlements(op, request);
              }).starts_with("failed to load LLB: network.host is not allowed; "));
  request.entitlements = {document::Entitlement::network_host};
  EXPECT_EQ(test::error_of([&] { require_entitlements(op, request); }), "no error");
  op.security = dockerfile::Security::insecure;
  EXPECT_TRUE(test::error_of([&] {
                require_entitlements(op, request);
              }).starts_with("failed to load LLB: security.insecure is not allowed; "));
}

}  // namespace
}  // namespace solver
