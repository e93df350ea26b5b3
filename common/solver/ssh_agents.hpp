// The ssh agents that a request gives its steps.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/document/request.hpp"
#include "common/solver/agent_socket.hpp"
#include "common/sys/process.hpp"

namespace solver {

// Private keys get an agent of their own, the program `ssh-agent`, which ends with this object.
class SshAgents {
public:
  // Sockets lie below `directory`. To be called by a thread that outlives this. Throws util::Error naming
  // BUILDKIT_SSH or the key's parameter for a key or an agent that cannot be used.
  SshAgents(const std::vector<document::Ssh>& given, std::filesystem::path directory);
  ~SshAgents();

  // A way to the agent of this id, as long as the result lives; nothing if there is none.
  std::unique_ptr<AgentSocket> open(const std::string& id, const AgentSocket::Access& access) const;

  // Why there is none of this id, which stands as `named` in the Dockerfile; in BuildKit's words,
  // and the parameter that helps.
  std::string absence(const std::string& id, const std::string& named) const;

private:
  struct Agent {
    std::filesystem::path socket;
    Forwarding forwarding;
  };
  struct Own {  // an agent that we run
    sys::TempDir directory;
    std::optional<sys::Child> process;
  };

  Agent make_agent(const document::Ssh& ssh);
  std::filesystem::path start_agent();
  static void add_key(const std::filesystem::path& agent, const std::string& key, const std::string& name);

  std::filesystem::path directory_;
  std::vector<Own> own_;
  std::map<std::string, Agent> agents_;
};

}  // namespace solver
