// Plain sinks: descriptors, digests, a thread behind.
#include "common/stream/sink.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <vector>

#include "common/sys/fd.hpp"
#include "common/sys/thread.hpp"

namespace stream {
namespace {

constexpr std::size_t write_size = 256 << 10;

class FdSink : public Sink {
public:
  FdSink(int fd, std::string what) : fd_(fd), what_(std::move(what)) { buffer_.reserve(write_size); }

  void write(std::span<const std::byte> data) override {
    if (buffer_.size() + data.size() > write_size) flush();
    if (data.size() >= write_size) {
      sys::write_all(fd_, data, what_);
    } else {
      buffer_.insert(buffer_.end(), data.begin(), data.end());
    }
  }

  void finish() override { flush(); }

private:
  void flush() {
    sys::write_all(fd_, std::span<const std::byte>(buffer_), what_);
    buffer_.clear();
  }

  int fd_;
  std::string what_;
  std::vector<std::byte> buffer_;
};

class WriteBehindSink : public Sink {
public:
  explicit WriteBehindSink(std::unique_ptr<Sink> inner) : inner_(std::move(inner)) {
    for (auto& block : blocks_)
      block.reserve(write_size);
    thread_ = sys::Thread([this] { drain(); });
  }

  WriteBehindSink(const WriteBehindSink&) = delete;
  WriteBehindSink& operator=(const WriteBehindSink&) = delete;

  ~WriteBehindSink() override {
    if (!thread_.joinable()) return;
    end(End::abandoned);
    thread_.wait();
  }

  void write(std::span<const std::byte> data) override {
    while (!data.empty()) {
      if (!filling_) wait_for_room();
      auto& block = blocks_[next_write_];
      const std::size_t count = std::min(data.size(), write_size - block.size());
      block.insert(block.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
      data = data.subspan(count);
      if (block.size() == write_size) hand_over();
    }
  }

  void finish() override {
    if (filling_) hand_over();
    end(End::complete);
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
  }

private:
  enum class End { open, complete, abandoned };

  void wait_for_room() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return full_ < blocks_.size() || failure_; });
    if (failure_) std::rethrow_exception(failure_);
    filling_ = true;
    blocks_[next_write_].clear();
  }

  void hand_over() {
    {
      const std::lock_guard lock(mutex_);
      ++full_;
    }
    filling_ = false;
    next_write_ = (next_write_ + 1) % blocks_.size();
    changed_.notify_all();
  }

  void end(End how) {
    {
      const std::lock_guard lock(mutex_);
      end_ = how;
    }
    changed_.notify_all();
  }

  void drain() {
    try {
      for (std::size_t next = 0;; next = (next + 1) % blocks_.size()) {
        {
          std::unique_lock lock(mutex_);
          changed_.wait(lock, [this] { return full_ > 0 || end_ != End::open; });
          if (end_ == End::abandoned) return;
          if (full_ == 0) break;
        }
        inner_->write(blocks_[next]);
        {
          const std::lock_guard lock(mutex_);
          --full_;
        }
        changed_.notify_all();
      }
      inner_->finish();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      changed_.notify_all();
    }
  }

  std::unique_ptr<Sink> inner_;
  std::array<std::vector<std::byte>, 4> blocks_;  // `full_` of them are the thread's, the others the writer's
  std::size_t next_write_ = 0;
  bool filling_ = false;  // the writer has waited for blocks_[next_write_]
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t full_ = 0;        // guarded by mutex_
  End end_ = End::open;         // the same
  std::exception_ptr failure_;  // the same
  sys::Thread thread_;
};

}  // namespace

std::unique_ptr<Sink> to_fd(int fd, std::string what) {
  return std::make_unique<FdSink>(fd, std::move(what));
}

void HashingSink::write(std::span<const std::byte> data) {
  sha_.update(data);
  size_ += data.size();
  inner_->write(data);
}

void HashingSink::finish() {
  digest_ = sha_.finish();
  inner_->finish();
}

std::unique_ptr<Sink> write_behind(std::unique_ptr<Sink> inner) {
  return std::make_unique<WriteBehindSink>(std::move(inner));
}

}  // namespace stream
