// Sockets by which a step reaches an ssh agent that lives outside.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <list>
#include <mutex>

#include "common/sys/fd.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/sys/thread.hpp"

namespace solver {

// What steps may send: `restricted` lets the two requests pass that list keys and sign; an agent's keys can
// be used, but not changed. `raw` passes every byte on.
enum class Forwarding { restricted, raw };

// A listening socket of its own. Every connection to it is one to the agent. Nothing of it is left once this
// is gone.
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
  ~AgentSocket();

  std::filesystem::path path() const;

  // The same for our children to connect to: the names of sockets must be short, and `path` may not be.
  std::string short_path() const;

private:
  void listen(const Access& access);
  void accept_all();
  void serve(sys::UniqueFd client) const;

  std::filesystem::path agent_;
  Forwarding forwarding_;
  sys::TempDir directory_;
  sys::UniqueFd directory_fd_;
  sys::UniqueFd listener_;
  sys::UniqueFd stop_;  // readable once all is to end
  std::list<sys::Thread> connections_;
  sys::Thread acceptor_;
};

}  // namespace solver
