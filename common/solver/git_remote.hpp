// A git repository elsewhere, as a build reaches it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/plan/op.hpp"
#include "common/solver/agent_socket.hpp"
#include "common/solver/git_command.hpp"
#include "common/solver/secrets.hpp"
#include "common/solver/ssh_agents.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

// How BuildKit introduces what goes wrong while it finds out what a reference means.
inline constexpr std::string_view before_any_file = "failed to load cache key";

class GitRemote {
public:
  // What git says goes to `say`. All references outlive it.
  GitRemote(const plan::Git& op, const Secrets& secrets, const SshAgents& ssh, sys::Cancellation cancel,
            GitCommand::Say say);

  // For people.
  const std::string& shown() const noexcept { return shown_; }

  // With the credentials for it, and with the build's agent where it is reached by ssh. Made when it is asked
  // for first: throws util::Error where there is no git or no agent.
  const GitCommand& git();

private:
  const plan::Git& op_;
  const Secrets& secrets_;
  const SshAgents& ssh_;
  sys::Cancellation cancel_;
  GitCommand::Say say_;
  std::string shown_;
  std::unique_ptr<AgentSocket> agent_;
  std::optional<GitCommand> git_;
};

}  // namespace solver
