// The agent protocol is that of draft-ietf-sshm-ssh-agent: each message is a length in four bytes, a type in
// one, and the rest.
#include "common/solver/agent_socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <optional>
#include <vector>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

using Bytes = std::vector<std::byte>;

constexpr auto agent_failure = std::byte{5};
constexpr auto request_identities = std::byte{11};
constexpr auto sign_request = std::byte{13};
constexpr std::size_t longest_message = 256 << 10;

// A socket's address holds 107 bytes only, so the way to its directory goes through a descriptor.
class Address {
public:
  explicit Address(const std::filesystem::path& path)
      : directory_(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    if (!directory_) util::throw_errno("cannot open " + util::quote(path.parent_path().string()));
    const std::string name =
        "/proc/self/fd/" + std::to_string(directory_.get()) + "/" + path.filename().string();
    if (name.size() >= sizeof address_.sun_path)
      throw util::Error("the name of the socket " + util::quote(path.string()) + " is too long");
    address_.sun_family = AF_UNIX;
    name.copy(address_.sun_path, name.size());
  }

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  static constexpr socklen_t size = sizeof(sockaddr_un);

private:
  sys::UniqueFd directory_;
  sockaddr_un address_{};
};

sys::UniqueFd make_socket() {
  sys::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) util::throw_errno("cannot make a socket");
  return fd;
}

// False once `stop` says so.
bool wait_readable(int fd, int stop) {
  std::array<pollfd, 2> events = {{{fd, POLLIN, 0}, {stop, POLLIN, 0}}};
  while (::poll(events.data(), events.size(), -1) < 0) {
    if (errno != EINTR) return false;
  }
  return events[1].revents == 0;
}

bool read_exactly(int fd, int stop, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    if (!wait_readable(fd, stop)) return false;
    const ssize_t count = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool send_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

// A whole message with its length; nothing at the end and for one that cannot be.
std::optional<Bytes> read_message(int fd, int stop) {
  Bytes message(4);
  if (!read_exactly(fd, stop, message)) return std::nullopt;
  std::size_t length = 0;
  for (const auto byte : message)
    length = length << 8 | std::to_integer<std::size_t>(byte);
  if (length == 0 || length > longest_message) return std::nullopt;
  message.resize(4 + length);
  if (!read_exactly(fd, stop, std::span(message).subspan(4))) return std::nullopt;
  return message;
}

void forward_requests(int client, int agent, int stop) {
  while (const auto request = read_message(client, stop)) {
    const auto type = (*request)[4];
    if (type == request_identities || type == sign_request) {
      if (!send_all(agent, *request)) return;
      const auto response = read_message(agent, stop);
      if (!response || !send_all(client, *response)) return;
    } else {
      const std::array<std::byte, 5> refusal = {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1},
                                                agent_failure};
      if (!send_all(client, refusal)) return;
    }
  }
}

void forward_bytes(int client, int agent, int stop) {
  std::array<std::byte, 16384> buffer;
  std::array<pollfd, 3> events = {{{client, POLLIN, 0}, {agent, POLLIN, 0}, {stop, POLLIN, 0}}};
  for (int open = 2; open > 0;) {
    if (::poll(events.data(), events.size(), -1) < 0 && errno != EINTR) return;
    if (events[2].revents != 0) return;
    for (std::size_t side = 0; side < 2; ++side) {
      if (events[side].revents == 0) continue;
      const int other = side == 0 ? agent : client;
      const ssize_t count = ::recv(events[side].fd, buffer.data(), buffer.size(), 0);
      if (count > 0 && send_all(other, std::span(buffer).first(static_cast<std::size_t>(count)))) continue;
      ::shutdown(other, SHUT_WR);
      events[side] = {-1, 0, 0};
      --open;
    }
  }
}

}  // namespace

AgentSocket::AgentSocket(std::filesystem::path agent, Forwarding forwarding,
                         const std::filesystem::path& directory, const Access& access)
    : agent_(std::move(agent)),
      forwarding_(forwarding),
      directory_(directory, "ssh-"),
      directory_fd_(::open(directory_.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
      listener_(make_socket()),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!stop_) util::throw_errno("cannot make an event");
  if (!directory_fd_) util::throw_errno("cannot open " + util::quote(directory_.path().string()));
  listen(access);
  acceptor_ = sys::Thread([this] { accept_all(); });
}

AgentSocket::~AgentSocket() {
  ::eventfd_write(stop_.get(), 1);
  acceptor_.wait();
  for (auto& connection : connections_)
    connection.wait();
}

std::filesystem::path AgentSocket::path() const {
  return directory_.path() / "socket";
}

std::string AgentSocket::short_path() const {
  // Not by getpid(): /proc may be that of the namespace above ours. Nor by /proc/self and an inherited
  // descriptor: ssh closes those.
  const auto process = std::filesystem::read_symlink("/proc/self").string();
  return "/proc/" + process + "/fd/" + std::to_string(directory_fd_.get()) + "/socket";
}

void AgentSocket::listen(const Access& access) {
  const Address address(path());
  if (::bind(listener_.get(), address.get(), Address::size) != 0 ||
      ::chown(path().c_str(), access.uid, access.gid) != 0 || ::chmod(path().c_str(), access.mode) != 0 ||
      ::listen(listener_.get(), SOMAXCONN) != 0) {
    util::throw_errno("cannot listen on " + util::quote(path().string()));
  }
}

void AgentSocket::accept_all() {
  while (wait_readable(listener_.get(), stop_.get())) {
    sys::UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) continue;
    connections_.emplace_back(
        [this, fd = std::make_shared<sys::UniqueFd>(std::move(client))] { serve(std::move(*fd)); });
  }
}

// A step whose agent is gone sees its connection end, as it would with the agent itself.
void AgentSocket::serve(sys::UniqueFd client) const {
  try {
    const auto agent = make_socket();
    const Address address(agent_);
    if (::connect(agent.get(), address.get(), Address::size) != 0) return;
    if (forwarding_ == Forwarding::raw) {
      forward_bytes(client.get(), agent.get(), stop_.get());
    } else {
      forward_requests(client.get(), agent.get(), stop_.get());
    }
  } catch (const util::Error&) {}
}

}  // namespace solver
