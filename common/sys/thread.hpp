// The one way to start a thread.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "common/sys/cancellation.hpp"

namespace sys {

// SIGINT, SIGTERM and SIGHUP are blocked in it, so that only the main thread gets them and only its waits are
// interrupted; sys::start and the sandbox unblock them in children. What its body throws comes out of join().
class Thread {
public:
  Thread() = default;
  // Throws util::Error where the machine has no more threads.
  explicit Thread(std::function<void()> body);
  Thread(Thread&& other) noexcept = default;
  Thread& operator=(Thread&& other) noexcept;
  ~Thread() { wait(); }

  bool joinable() const noexcept { return thread_.joinable(); }

  // Waits for the end and throws what the body threw.
  void join();
  // The same, but what the body threw is nobody's business any more. Nothing if there is no thread.
  void wait() noexcept;

  // How many there are in this process that nobody has joined yet.
  static std::size_t running() noexcept;

private:
  void end();

  std::shared_ptr<std::exception_ptr> failure_;
  std::thread thread_;
};

// Up to `count` threads that all run `body`; fewer where the machine has no more. For work of which the
// caller does all that is left.
std::vector<Thread> start_threads(std::size_t count, const std::function<void()>& body);

// Calls `work` with the numbers 0 to `count` - 1, in this thread and up to `most` - 1 others; what is begun
// first has the lowest number. The first one that throws calls the others off: those that run by the
// cancellation that they are given, which is below `cancel`, and those that have not begun. Its exception
// leaves.
void share_work(std::size_t count, std::size_t most,
                const std::function<void(std::size_t number, const Cancellation& cancel)>& work,
                const Cancellation& cancel = {});

// How many threads run at the same time on this machine, at least 1.
std::size_t processor_count() noexcept;

}  // namespace sys
