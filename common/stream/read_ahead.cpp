// A bounded ring of buffers between a reading thread and its consumer.
#include "common/stream/read_ahead.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>

#include "common/sys/thread.hpp"
#include "common/util/buffer.hpp"

namespace stream {
namespace {

constexpr std::size_t block_count = 4;
constexpr std::size_t block_size = 256 << 10;

class ReadAheadSource : public Source {
public:
  explicit ReadAheadSource(std::unique_ptr<Source> inner) : inner_(std::move(inner)) {
    thread_ = sys::Thread([this] { fill_blocks(); });
  }

  ReadAheadSource(const ReadAheadSource&) = delete;
  ReadAheadSource& operator=(const ReadAheadSource&) = delete;

  ~ReadAheadSource() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.wait();
  }

  std::size_t read(std::span<std::byte> buffer) override {
    auto* block = current_block();
    if (block == nullptr) return 0;
    const std::size_t count = std::min(buffer.size(), block->size - position_);
    std::memcpy(buffer.data(), block->bytes.data() + position_, count);
    position_ += count;
    if (position_ == block->size) give_back();
    return count;
  }

private:
  struct Block {
    util::Buffer bytes{block_size};
    std::size_t size = 0;
  };

  // The oldest full block, nothing at the end. Waits for it.
  Block* current_block() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return full_ > 0 || ended_; });
    if (full_ > 0) return &blocks_[next_read_];
    if (failure_) std::rethrow_exception(failure_);
    return nullptr;
  }

  void give_back() {
    {
      const std::lock_guard lock(mutex_);
      next_read_ = (next_read_ + 1) % block_count;
      --full_;
    }
    position_ = 0;
    changed_.notify_all();
  }

  void fill_blocks() {
    for (std::size_t next = 0;; next = (next + 1) % block_count) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return full_ < block_count || stopping_; });
        if (stopping_) return;
      }
      const bool more = fill(blocks_[next]);
      {
        const std::lock_guard lock(mutex_);
        if (blocks_[next].size > 0) ++full_;
        ended_ = !more;
      }
      changed_.notify_all();
      if (!more) return;
    }
  }

  // False if this is the last one.
  bool fill(Block& block) {
    block.size = 0;
    try {
      while (block.size < block_size && !is_stopping()) {
        const std::size_t count = inner_->read(std::span(block.bytes).subspan(block.size));
        if (count == 0) return false;
        block.size += count;
      }
      return true;
    } catch (...) {
      // Read only by who has seen ended_ under the mutex.
      failure_ = std::current_exception();
      return false;
    }
  }

  bool is_stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  std::unique_ptr<Source> inner_;
  std::array<Block, block_count> blocks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t full_ = 0;       // guarded by mutex_
  std::size_t next_read_ = 0;  // the same
  bool ended_ = false;         // the same
  bool stopping_ = false;      // the same
  std::exception_ptr failure_;
  std::size_t position_ = 0;
  sys::Thread thread_;
};

}  // namespace

std::unique_ptr<Source> read_ahead(std::unique_ptr<Source> inner) {
  return std::make_unique<ReadAheadSource>(std::move(inner));
}

}  // namespace stream
