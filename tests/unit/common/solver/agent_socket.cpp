// Many connections, slow ones, agents that go, descriptors that run out.
#include "common/solver/agent_socket.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/in_child.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t above_the_bound = 150;

const std::string list_keys("\0\0\0\1\x0b", 5);
const std::string add_key("\0\0\0\2\x11x", 6);
const std::string no_keys("\0\0\0\5\x0c\0\0\0\0", 9);
const std::string refusal("\0\0\0\1\5", 5);

sockaddr_un address_at(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

sys::UniqueFd connected(const fs::path& path) {
  sys::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = address_at(path);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    ADD_FAILURE() << "cannot connect";
  return fd;
}

void send_text(const sys::UniqueFd& fd, const std::string& text) {
  EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

// As much as `size` bytes, less at the end of the connection.
std::string receive(const sys::UniqueFd& fd, std::size_t size) {
  std::string text(size, '\0');
  const ssize_t count = ::recv(fd.get(), text.data(), size, MSG_WAITALL);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

std::size_t thread_count() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator()));
}

// Answers whatever comes with an empty list of keys, in one thread, until it is gone.
class Agent {
public:
  explicit Agent(const fs::path& path) : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto address = address_at(path);
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 512) != 0)
      ADD_FAILURE() << "cannot listen";
    thread_ = std::thread([this] { serve(); });
  }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent() { stop(); }

  void stop() {
    if (!thread_.joinable()) return;
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    listener_ = sys::UniqueFd();
  }

private:
  void serve() {
    std::vector<sys::UniqueFd> clients;
    for (;;) {
      std::vector<pollfd> events = {{listener_.get(), POLLIN, 0}};
      for (const auto& client : clients)
        events.push_back({client.get(), POLLIN, 0});
      ::poll(events.data(), events.size(), -1);
      if ((events[0].revents & POLLHUP) != 0) return;
      for (std::size_t i = clients.size(); i > 0; --i) {
        if (events[i].revents == 0) continue;
        std::array<char, 4096> buffer;
        if (::recv(events[i].fd, buffer.data(), buffer.size(), 0) > 0) {
          // Who has gone meanwhile is told nothing.
          [[maybe_unused]] const auto ignored =
              ::send(events[i].fd, no_keys.data(), no_keys.size(), MSG_NOSIGNAL);
        } else {
          clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(i - 1));
        }
      }
      if (events[0].revents != 0)
        clients.emplace_back(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }
  }

  sys::UniqueFd listener_;
  std::thread thread_;
};

class Forwarded : public testing::TestWithParam<Forwarding> {
protected:
  sys::TempDir directory_{fs::temp_directory_path(), "agent-"};
  Agent agent_{directory_.path() / "agent"};
  AgentSocket socket_{directory_.path() / "agent", GetParam(), directory_.path(), {}};
};

INSTANTIATE_TEST_SUITE_P(Ways, Forwarded, testing::Values(Forwarding::restricted, Forwarding::raw));

TEST_P(Forwarded, ServesManyConnectionsOneAfterTheOther) {
  for (std::size_t i = 0; i < above_the_bound; ++i) {
    const auto client = connected(socket_.path());
    for (int request = 0; request < 2; ++request) {
      send_text(client, list_keys);
      ASSERT_EQ(receive(client, no_keys.size()), no_keys) << i;
    }
  }
}

TEST_P(Forwarded, ServesMoreConnectionsThanItsBoundByOneThread) {
  const auto threads = thread_count();
  std::vector<sys::UniqueFd> clients;
  for (std::size_t i = 0; i < above_the_bound; ++i) {
    clients.push_back(connected(socket_.path()));
    send_text(clients.back(), list_keys);
  }
  for (auto& client : clients) {
    ASSERT_EQ(receive(client, no_keys.size()), no_keys);
    EXPECT_EQ(thread_count(), threads);
    client = sys::UniqueFd();  // a place for one that waits
  }
}

// It would fill what holds its responses, and its requests then wait.
TEST_P(Forwarded, ServesOthersBesideOneThatNeverReads) {
  const auto slow = connected(socket_.path());
  std::string many;
  for (int i = 0; i < 10'000; ++i)
    many += list_keys;
  for (int round = 0; round < 100; ++round) {
    pollfd event{slow.get(), POLLOUT, 0};
    if (::poll(&event, 1, 0) == 0) break;
    ::send(slow.get(), many.data(), many.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  const auto client = connected(socket_.path());
  send_text(client, list_keys);
  EXPECT_EQ(receive(client, no_keys.size()), no_keys);
}

TEST_P(Forwarded, EndsConnectionsWhoseAgentGoes) {
  const auto client = connected(socket_.path());
  send_text(client, list_keys);
  EXPECT_EQ(receive(client, no_keys.size()), no_keys);
  agent_.stop();
  EXPECT_EQ(receive(client, 1), "");
  EXPECT_EQ(receive(connected(socket_.path()), 1), "");
}

// In a child, so without the threads of the others: a fork keeps the locks that these hold, and nobody who
// gives them back.
class ShortOfDescriptors : public testing::TestWithParam<Forwarding> {};

INSTANTIATE_TEST_SUITE_P(Ways, ShortOfDescriptors, testing::Values(Forwarding::restricted, Forwarding::raw));

TEST_P(ShortOfDescriptors, WaitsWithoutSpinning) {
  EXPECT_EQ(test::in_child([] {
              const sys::TempDir directory(fs::temp_directory_path(), "agent-");
              const Agent agent(directory.path() / "agent");
              const AgentSocket socket(directory.path() / "agent", GetParam(), directory.path(), {});
              const auto client = connected(socket.path());
              send_text(client, list_keys);
              if (receive(client, no_keys.size()) != no_keys) return 1;
              sys::UniqueFd later(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
              const auto address = address_at(socket.path());
              rlimit limit{};
              ::getrlimit(RLIMIT_NOFILE, &limit);
              const rlimit few{.rlim_cur = 64, .rlim_max = limit.rlim_max};
              ::setrlimit(RLIMIT_NOFILE, &few);
              std::vector<sys::UniqueFd> others;
              while (others.empty() || others.back())
                others.emplace_back(::dup(0));
              if (::connect(later.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
                return 2;
              send_text(later, list_keys);
              rusage before{};
              ::getrusage(RUSAGE_SELF, &before);
              pollfd event{later.get(), POLLIN, 0};
              if (::poll(&event, 1, 300) != 0) return 3;
              rusage after{};
              ::getrusage(RUSAGE_SELF, &after);
              const auto milliseconds = [](const rusage& usage) {
                return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
              };
              if (milliseconds(after) - milliseconds(before) > 20) return 4;
              others.clear();
              return receive(later, no_keys.size()) == no_keys ? 0 : 5;
            }),
            0);
}

void run_on(std::size_t processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

// The server runs only where nobody else wants its processor, so it looks at what woke it once its owner
// waits for it, and another thread has taken all numbers of descriptors that were given back. (With one
// processor there is no such order.)
TEST(AgentSocketEnd, ReachesAServerThatRunsLate) {
  EXPECT_EQ(test::in_child([] {
              ::alarm(20);
              const sys::TempDir directory(fs::temp_directory_path(), "agent-");
              std::atomic<bool> ends = false;
              std::atomic<bool> takes = false;
              std::thread busy([&] {
                run_on(0);
                while (!ends) {}
              });
              std::thread taker([&] {
                run_on(1);
                std::vector<sys::UniqueFd> held;
                for (; !ends; std::this_thread::yield()) {
                  if (!takes)
                    held.clear();
                  else if (held.size() < 100)
                    held.emplace_back(::eventfd(0, EFD_CLOEXEC));
                }
              });
              const sched_param parameters{};
              for (int round = 0; round < 10; ++round) {
                takes = false;
                run_on(0);
                ::sched_setscheduler(0, SCHED_IDLE, &parameters);
                const AgentSocket socket(directory.path() / "agent", Forwarding::raw, directory.path(), {});
                ::sched_setscheduler(0, SCHED_OTHER, &parameters);
                run_on(1);
                ::poll(nullptr, 0, 20);
                takes = true;
              }
              ends = true;
              busy.join();
              taker.join();
              return 0;
            }),
            0);
}

class Restricted : public Forwarded {};

INSTANTIATE_TEST_SUITE_P(Ways, Restricted, testing::Values(Forwarding::restricted));

TEST_P(Restricted, RefusesWhatChangesTheAgentAndGoesOn) {
  const auto client = connected(socket_.path());
  send_text(client, add_key + list_keys);
  EXPECT_EQ(receive(client, refusal.size()), refusal);
  EXPECT_EQ(receive(client, no_keys.size()), no_keys);
}

TEST_P(Restricted, EndsAConnectionWhoseMessageIsTooLong) {
  const auto client = connected(socket_.path());
  send_text(client, std::string("\x7f\0\0\0\x0b", 5));
  EXPECT_EQ(receive(client, 1), "");
}

}  // namespace
}  // namespace solver
