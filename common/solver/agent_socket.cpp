// A listener, and one poll loop for what comes by it.
#include "common/solver/agent_socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <iterator>
#include <vector>

#include "common/sys/paths.hpp"
#include "common/sys/proc.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

constexpr std::size_t most_connections = 64;
constexpr int patience = 50;  // milliseconds until a shortage may be over

// A socket's address holds 107 bytes only, so the way to its directory goes through a descriptor.
sockaddr_un address_of(int directory, const std::filesystem::path& path) {
  const std::string name = sys::link_of(directory) + "/" + path.filename().string();
  sockaddr_un address{};
  if (name.size() >= sizeof address.sun_path)
    throw util::Error("the name of the socket " + util::quote(path.string()) + " is too long");
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path, name.size());
  return address;
}

const sockaddr* any(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

sys::UniqueFd make_socket() {
  sys::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) util::throw_errno("cannot make a socket");
  return fd;
}

// Of descriptors or memory, which others may give back; or an agent that others wait for, too.
bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS || error == EAGAIN;
}

}  // namespace

AgentSocket::AgentSocket(std::filesystem::path agent, Forwarding forwarding,
                         const std::filesystem::path& directory, const Access& access)
    : agent_(std::move(agent)),
      forwarding_(forwarding),
      directory_(directory, "ssh-"),
      directory_fd_(::open(directory_.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
      listener_(make_socket()) {
  if (!directory_fd_) util::throw_errno("cannot open " + util::quote(directory_.path().string()));
  listen(access);
  server_ = sys::Thread([this, cancel = canceller_.cancellation()] { serve(cancel); });
}

std::filesystem::path AgentSocket::path() const {
  return directory_.path() / "socket";
}

std::string AgentSocket::short_path() const {
  // Not by getpid(): /proc may be that of the namespace above ours. Nor by /proc/self and an inherited
  // descriptor: ssh closes those.
  const auto process = sys::link_target("/proc/self").string();
  return "/proc/" + process + "/fd/" + std::to_string(directory_fd_.get()) + "/socket";
}

void AgentSocket::listen(const Access& access) {
  const auto address = address_of(directory_fd_.get(), path());
  if (::bind(listener_.get(), any(address), sizeof address) != 0 ||
      ::chown(path().c_str(), access.uid, access.gid) != 0 || ::chmod(path().c_str(), access.mode) != 0 ||
      ::listen(listener_.get(), SOMAXCONN) != 0) {
    util::throw_errno("cannot listen on " + util::quote(path().string()));
  }
}

void AgentSocket::serve(const sys::Cancellation& cancel) {
  std::list<AgentRelay> relays;
  bool is_short = false;
  for (;;) {
    const bool accepts = !is_short && relays.size() < most_connections;
    std::vector<pollfd> events = {{cancel.fd(), POLLIN, 0}, {accepts ? listener_.get() : -1, POLLIN, 0}};
    for (const auto& relay : relays) {
      events.push_back(relay.client_events());
      events.push_back(relay.agent_events());
    }
    const int count = ::poll(events.data(), events.size(), is_short ? patience : -1);
    if (events[0].revents != 0) return;
    if (count < 0) {
      if (errno != EINTR) ::poll(nullptr, 0, patience);
      continue;
    }
    is_short = false;
    std::size_t next = 2;
    for (auto relay = relays.begin(); relay != relays.end(); next += 2) {
      const bool goes_on = relay->advance(events[next].revents, events[next + 1].revents);
      relay = goes_on ? std::next(relay) : relays.erase(relay);
    }
    if (events[1].revents != 0) is_short = accept(relays) == Accepted::later;
  }
}

// The way to the agent comes first: who is accepted has one. A step whose agent is gone sees its connection
// end, as it would with the agent itself.
AgentSocket::Accepted AgentSocket::accept(std::list<AgentRelay>& relays) const {
  sys::UniqueFd agent(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!agent) return Accepted::later;
  const sys::UniqueFd directory(::open(agent_.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory && is_shortage(errno)) return Accepted::later;
  bool is_there = false;
  if (directory) {
    const auto address = address_of(directory.get(), agent_);
    is_there = ::connect(agent.get(), any(address), sizeof address) == 0;
    if (!is_there && is_shortage(errno)) return Accepted::later;
  }
  sys::UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!client) return errno != EAGAIN && is_shortage(errno) ? Accepted::later : Accepted::one;
  if (is_there) relays.emplace_back(std::move(client), std::move(agent), forwarding_);
  return Accepted::one;
}

}  // namespace solver
