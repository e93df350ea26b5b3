// Sockets by which a step reaches an ssh agent that lives outside.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <list>

#include "common/solver/agent_relay.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/sys/thread.hpp"

namespace solver {

// A listening socket of its own. Every connection to it is one to the agent; 64 are served at the same time,
// by one thread, and further ones wait, also while the process has no descriptors left. Nothing of it is left
// once this is gone.
class AgentSocket {
public:
  struct Access {
    mode_t mode = 0600;
    uid_t uid = 0;
    gid_t gid = 0;
  };

  // `agent` is the socket of an agent; the new one lies below `directory`. Throws util::Error.
  AgentSocket(std::filesystem::path agent, Forwarding forwarding, const std::filesystem::path& directory,
              const Access& access);
  AgentSocket(const AgentSocket&) = delete;
  AgentSocket& operator=(const AgentSocket&) = delete;

  std::filesystem::path path() const;

  // The same for our children to connect to: the names of sockets must be short, and `path` may not be.
  std::string short_path() const;

private:
  enum class Accepted { one, later };

  void listen(const Access& access);
  void serve(const sys::Cancellation& cancel);
  Accepted accept(std::list<AgentRelay>& relays) const;

  std::filesystem::path agent_;
  Forwarding forwarding_;
  sys::TempDir directory_;
  sys::UniqueFd directory_fd_;
  sys::UniqueFd listener_;
  sys::Thread server_;
  sys::Canceller canceller_;
};

}  // namespace solver
