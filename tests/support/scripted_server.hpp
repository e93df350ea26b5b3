// A server on the loopback interface that answers as the test says, byte for byte: for failures that no real
// server can be made to show.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/sys/fd.hpp"
#include "common/util/error.hpp"

namespace test {

// What one connection gets: the bytes, then its end, unless it is held open, or gets a byte now and then for
// as long as it is there.
struct Reply {
  std::string bytes;
  bool hold = false;
  bool drip = false;
  std::size_t takes = SIZE_MAX;  // bytes of the request's body, before it answers
};

inline Reply answer(const std::string& status, const std::string& fields, const std::string& body) {
  return {"HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
          "\r\n" + fields + "\r\n" + body};
}

class ScriptedServer {
public:
  // `script` gets each request's head and its number from 0 on; called on the server's own thread.
  using Script = std::function<Reply(const std::string& head, std::size_t number)>;

  explicit ScriptedServer(Script script)
      : script_(std::move(script)), stop_(::eventfd(0, EFD_CLOEXEC)), thread_([this] { serve(); }) {}

  ~ScriptedServer() {
    ::eventfd_write(stop_.get(), 1);
    thread_.join();
  }

  std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  int port() const { return port_; }

  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  // What came with each of them, as far as it was taken.
  std::vector<std::string> bodies() const {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }

private:
  sys::UniqueFd listen_on_loopback() {
    sys::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd.get(), generic, size) != 0 || ::listen(fd.get(), 16) != 0 ||
        ::getsockname(fd.get(), generic, &size) != 0) {
      util::throw_errno("cannot listen");
    }
    port_ = ntohs(address.sin_port);
    return fd;
  }

  void serve() {
    while (wait_for(listener_.get())) {
      sys::UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      std::string head;
      char byte = 0;
      while (!head.ends_with("\r\n\r\n") && wait_for(connection.get()) &&
             ::recv(connection.get(), &byte, 1, 0) == 1) {
        head += byte;
      }
      if (!head.ends_with("\r\n\r\n")) continue;
      std::size_t number = 0;
      {
        const std::lock_guard lock(mutex_);
        number = requests_.size();
        requests_.push_back(head);
      }
      const auto reply = script_(head, number);
      take_body(connection.get(), head, reply.takes);
      ::send(connection.get(), reply.bytes.data(), reply.bytes.size(), MSG_NOSIGNAL);
      while (reply.drip && !wait_for_stop(20) && ::send(connection.get(), "x", 1, MSG_NOSIGNAL) == 1) {}
      ::shutdown(connection.get(), reply.hold ? SHUT_RD : SHUT_WR);
      if (reply.hold) held_.push_back(std::move(connection));
    }
  }

  void take_body(int connection, const std::string& head, std::size_t most) {
    constexpr std::string_view field = "\r\nContent-Length: ";
    const auto start = head.find(field);
    std::size_t left = start == std::string::npos ? 0 : std::stoull(head.substr(start + field.size()));
    std::string body;
    std::array<char, 4096> buffer = {};
    for (left = std::min(left, most); left > 0 && wait_for(connection);) {
      const auto count = ::recv(connection, buffer.data(), std::min(left, buffer.size()), 0);
      if (count <= 0) break;
      body.append(buffer.data(), static_cast<std::size_t>(count));
      left -= static_cast<std::size_t>(count);
    }
    const std::lock_guard lock(mutex_);
    bodies_.push_back(std::move(body));
  }

  bool wait_for_stop(int milliseconds) const {
    pollfd event = {stop_.get(), POLLIN, 0};
    return ::poll(&event, 1, milliseconds) != 0;
  }

  // False when the server is to end.
  bool wait_for(int fd) const {
    pollfd events[2] = {{fd, POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    ::poll(events, 2, -1);
    return events[1].revents == 0;
  }

  Script script_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<std::string> bodies_;
  std::vector<sys::UniqueFd> held_;
  int port_ = 0;
  sys::UniqueFd stop_;
  sys::UniqueFd listener_ = listen_on_loopback();
  std::thread thread_;
};

}  // namespace test
