// The agent protocol is that of draft-ietf-sshm-ssh-agent: each message is a length in four bytes, a type in
// one, and the rest. A request is answered before the next one is read.
#include "common/solver/agent_relay.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace solver {
namespace {

constexpr auto agent_failure = std::byte{5};
constexpr auto request_identities = std::byte{11};
constexpr auto sign_request = std::byte{13};
constexpr std::size_t length_size = 4;
constexpr std::size_t longest_message = 256 << 10;
constexpr std::size_t most_raw_bytes = 16 << 10;
constexpr short gone = POLLHUP | POLLERR | POLLNVAL;

bool is_later(ssize_t count) {
  return count < 0 && (errno == EAGAIN || errno == EINTR);
}

std::size_t length_of(const std::vector<std::byte>& message) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_size; ++i)
    length = length << 8 | std::to_integer<std::size_t>(message[i]);
  return length;
}

short wanted(bool readable, bool writable) {
  return static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
}

}  // namespace

AgentRelay::AgentRelay(sys::UniqueFd client, sys::UniqueFd agent, Forwarding forwarding)
    : client_(std::move(client)), agent_(std::move(agent)), forwarding_(forwarding), message_(length_size) {}

pollfd AgentRelay::client_events() const {
  if (forwarding_ == Forwarding::restricted)
    return {client_.get(), wanted(turn_ == Turn::request, turn_ == Turn::to_client), 0};
  return raw_events(client_.get(), requests_, responses_);
}

pollfd AgentRelay::agent_events() const {
  if (forwarding_ == Forwarding::restricted)
    return {agent_.get(), wanted(turn_ == Turn::response, turn_ == Turn::to_agent), 0};
  return raw_events(agent_.get(), responses_, requests_);
}

pollfd AgentRelay::raw_events(int side, const Flow& from, const Flow& to) {
  const bool readable = !from.ended && from.held.empty();
  const bool writable = !to.held.empty();
  // A side that has hung up would be reported for ever while the other one is slow.
  return {readable || writable ? side : -1, wanted(readable, writable), 0};
}

bool AgentRelay::advance(short client, short agent) {
  if (forwarding_ == Forwarding::restricted) return advance_message(client, agent);
  return advance_flow(requests_, client_.get(), (client & (POLLIN | gone)) != 0, agent_.get()) &&
         advance_flow(responses_, agent_.get(), (agent & (POLLIN | gone)) != 0, client_.get()) &&
         !(requests_.told && responses_.told);
}

bool AgentRelay::advance_message(short client, short agent) {
  const bool is_clients = turn_ == Turn::request || turn_ == Turn::to_client;
  // Who has gone while the other one has the word will not see what it says.
  if (((is_clients ? agent : client) & gone) != 0) return false;
  if ((is_clients ? client : agent) == 0) return true;
  switch (turn_) {
    case Turn::request:
      return read_message(client_.get());
    case Turn::to_agent:
      return write_message(agent_.get());
    case Turn::response:
      return read_message(agent_.get());
    case Turn::to_client:
      return write_message(client_.get());
  }
  return false;
}

bool AgentRelay::read_message(int fd) {
  const ssize_t count = ::recv(fd, message_.data() + moved_, message_.size() - moved_, 0);
  if (is_later(count)) return true;
  if (count <= 0) return false;
  moved_ += static_cast<std::size_t>(count);
  if (moved_ < message_.size()) return true;
  if (message_.size() == length_size) {
    const std::size_t length = length_of(message_);
    if (length == 0 || length > longest_message) return false;
    message_.resize(length_size + length);
    return true;
  }
  if (turn_ == Turn::request) {
    judge_request();
  } else {
    begin(Turn::to_client);
  }
  return true;
}

void AgentRelay::judge_request() {
  const auto type = message_[length_size];
  if (type == request_identities || type == sign_request) return begin(Turn::to_agent);
  message_ = {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}, agent_failure};
  begin(Turn::to_client);
}

bool AgentRelay::write_message(int fd) {
  const ssize_t count = ::send(fd, message_.data() + moved_, message_.size() - moved_, MSG_NOSIGNAL);
  if (is_later(count)) return true;
  if (count <= 0) return false;
  moved_ += static_cast<std::size_t>(count);
  if (moved_ == message_.size()) {
    message_ = std::vector<std::byte>(length_size);
    begin(turn_ == Turn::to_agent ? Turn::response : Turn::request);
  }
  return true;
}

void AgentRelay::begin(Turn turn) {
  turn_ = turn;
  moved_ = 0;
}

bool AgentRelay::advance_flow(Flow& flow, int from, bool is_readable, int to) {
  if (is_readable && !flow.ended && flow.held.empty()) {
    std::array<std::byte, most_raw_bytes> buffer;
    const ssize_t count = ::recv(from, buffer.data(), buffer.size(), 0);
    if (count > 0) flow.held.assign(buffer.begin(), buffer.begin() + count);
    flow.ended = count <= 0 && !is_later(count);
  }
  if (!flow.held.empty()) {
    const ssize_t count = ::send(to, flow.held.data(), flow.held.size(), MSG_NOSIGNAL);
    if (count > 0) flow.held.erase(flow.held.begin(), flow.held.begin() + count);
    if (count < 0 && !is_later(count)) return false;
  }
  if (flow.ended && flow.held.empty() && !flow.told) {
    ::shutdown(to, SHUT_WR);
    flow.told = true;
  }
  return true;
}

}  // namespace solver
