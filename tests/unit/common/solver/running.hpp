// A step that is prepared for real and then not started: its sandbox writes down what it gets.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/document/request.hpp"
#include "common/solver/run_op.hpp"
#include "common/store/store.hpp"
#include "tests/support/error_of.hpp"
#include "tests/unit/common/solver/ops.hpp"

namespace test {

class RecordingSandbox : public sandbox::Sandbox {
public:
  sys::ExitStatus run(const sandbox::Spec& given, const sandbox::Output& output) override {
    spec = given;
    return step ? step(given, output) : sys::ExitStatus{};
  }

  sandbox::Spec spec;                                                                 // the last one
  std::function<sys::ExitStatus(const sandbox::Spec&, const sandbox::Output&)> step;  // what it does
};

class Running : public Ops {
protected:
  static constexpr plan::OpId base = 0;
  static constexpr plan::OpId other = 1;

  void SetUp() override {
    Ops::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    fs::create_directory(state());
    inputs_ = {{base, filesystem({{"bin/tool", "tool"}})}};
    op_.root = base;
    op_.arguments = {"tool", "--flag"};
    op_.working_dir = "/app";
    op_.platform = image::Platform::host();
    give({});
  }

  // What the request gives: secrets and agents.
  void give(const document::Request& request) {
    secrets_ = std::make_unique<solver::Secrets>(request.secrets);
    ssh_ = std::make_unique<solver::SshAgents>(request.ssh, outside());
  }

  // Adds a mount, and gives it to be filled in.
  dockerfile::Mount& mount(dockerfile::MountType type, std::optional<plan::OpId> from = std::nullopt) {
    op_.mounts.push_back({.options = {}, .from = from});
    op_.mounts.back().options.type = type;
    return op_.mounts.back().options;
  }

  solver::Change run() {
    if (!store_) store_ = std::make_unique<store::Store>(state() / "store");
    const solver::StepServices services{.sandbox = sandbox_,
                                        .emulators = emulators_,
                                        .store = *store_,
                                        .local_copies = local_copies_,
                                        .secrets = *secrets_,
                                        .ssh = *ssh_,
                                        .proxies = proxies_,
                                        .hosts = hosts_};
    return solver::run(op_, inputs_, trees(), services, vertex(), cancel());
  }

  const sandbox::Spec& spec() {
    run();
    return sandbox_.spec;
  }

  // Where cache mounts are kept.
  fs::path state() const { return outside() / "state"; }

  std::string failure() {
    return error_of([&] { run(); });
  }

  plan::Run op_ = {};
  solver::Inputs inputs_;
  RecordingSandbox sandbox_;
  std::map<std::string, std::string> proxies_;
  std::vector<document::AddHost> hosts_;

private:
  solver::Emulators emulators_{outside()};
  std::unique_ptr<store::Store> store_;  // opened by the first step
  solver::LocalCopies local_copies_;
  std::unique_ptr<solver::Secrets> secrets_;
  std::unique_ptr<solver::SshAgents> ssh_;
};

constexpr const char* default_path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

}  // namespace test
