// RUN.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/document/request.hpp"
#include "common/engine/progress.hpp"
#include "common/plan/op.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/solver/content.hpp"
#include "common/solver/emulation.hpp"
#include "common/solver/local_copies.hpp"
#include "common/solver/secrets.hpp"
#include "common/solver/ssh_agents.hpp"
#include "common/solver/trees.hpp"
#include "common/store/store.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

// What a build gives all of its steps alike, whatever files they see. What is borrowed is thread-safe.
struct StepServices {
  sandbox::Sandbox& sandbox;
  Emulators& emulators;
  store::Store& store;  // of the directories of --mount=type=cache
  LocalCopies& local_copies;
  const Secrets& secrets;
  const SshAgents& ssh;
  std::map<std::string, std::string> proxies = {};  // variables: "http_proxy" and "HTTP_PROXY" alike
  std::vector<document::AddHost> hosts = {};
};

// Throws dockerfile::SyntaxError if the step asks for what the request does not grant.
void require_entitlements(const plan::Run& op, const document::Request& request);
// Throws dockerfile::SyntaxError where no such step can run in `sandbox`.
void require_sandbox(const plan::Run& op, const sandbox::Sandbox& sandbox);

// Throws util::Error for a bind mount of what is not in the build context `from`.
void require_sources(const plan::Run& op, plan::OpId from, const LocalFiles& files);

// Runs the step in a sandbox over its input's filesystem. Its output goes to `vertex`. Throws util::Error,
// for a step that fails in BuildKit's words with its exit code, and as sys::Cancellation::check does.
Change run(const plan::Run& op, const Inputs& inputs, Trees& trees, const StepServices& services,
           engine::Progress::Vertex& vertex, const sys::Cancellation& cancel);

// What a mount with a `from` shows of it. Throws util::Error, and as sys::Cancellation::check does.
Content content(const plan::Run::Mount& mount, const Filesystem& from, snapshot::Snapshotter& snapshotter,
                const sys::Cancellation& cancel);

}  // namespace solver
