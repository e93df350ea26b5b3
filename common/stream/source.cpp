// Plain sources: memory, descriptors, ranges of files.
#include "common/stream/source.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "common/sys/cancellation.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace stream {
namespace {

class StringSource : public Source {
public:
  explicit StringSource(std::string content) : content_(std::move(content)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min(buffer.size(), content_.size() - position_);
    std::memcpy(buffer.data(), content_.data() + position_, count);
    position_ += count;
    return count;
  }

private:
  std::string content_;
  std::size_t position_ = 0;
};

class FdSource : public Source {
public:
  FdSource(sys::UniqueFd fd, std::string what)
      : fd_(std::move(fd)), what_(std::move(what)), may_block_(!is_regular_file(fd_.get())) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (may_block_) wait_for_data();
    sys::Cancellation().check();
    return sys::read_some(fd_.get(), buffer, what_);
  }

private:
  static bool is_regular_file(int fd) {
    struct stat status;
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  }

  // A pipe may stay silent for ever: a signal must be able to end the wait.
  void wait_for_data() const {
    pollfd event{fd_.get(), POLLIN, 0};
    while (event.revents == 0)
      sys::Cancellation().wait({&event, 1});
  }

  sys::UniqueFd fd_;
  std::string what_;
  bool may_block_;
};

class RangeSource : public Source {
public:
  RangeSource(std::shared_ptr<const sys::UniqueFd> fd, std::uint64_t offset, std::uint64_t size,
              std::string what)
      : fd_(std::move(fd)), offset_(offset), left_(size), what_(std::move(what)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    sys::Cancellation().check();
    if (left_ == 0) return 0;
    if (buffer.size() > left_) buffer = buffer.first(left_);
    const std::size_t count = sys::read_some_at(fd_->get(), buffer, offset_, what_);
    if (count == 0) {
      throw util::Error(what_ + " ends " + util::human_size(left_) + " too early",
                        util::Cause::Kind::damaged);
    }
    skip(count);
    return count;
  }

  std::uint64_t skip(std::uint64_t count) override {
    count = std::min(count, left_);
    offset_ += count;
    left_ -= count;
    return count;
  }

private:
  std::shared_ptr<const sys::UniqueFd> fd_;
  std::uint64_t offset_;
  std::uint64_t left_;
  std::string what_;
};

}  // namespace

std::uint64_t Source::skip(std::uint64_t count) {
  util::Buffer away(std::min<std::uint64_t>(count, 65536));
  std::uint64_t skipped = 0;
  while (skipped < count) {
    const std::uint64_t wanted = std::min<std::uint64_t>(away.size(), count - skipped);
    const std::size_t got = read(std::span(away).first(wanted));
    if (got == 0) break;
    skipped += got;
  }
  return skipped;
}

std::size_t read_full(Source& source, std::span<std::byte> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const std::size_t count = source.read(buffer.subspan(filled));
    if (count == 0) break;
    filled += count;
  }
  return filled;
}

std::string read_all(Source& source, const std::string& what, std::uint64_t limit) {
  std::string content;
  util::Buffer buffer(65536);
  while (const std::size_t count = source.read(buffer)) {
    if (content.size() + count > limit)
      throw util::Error(what + " is larger than " + util::human_size(limit), util::Cause::Kind::refused);
    content.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return content;
}

std::unique_ptr<Source> from_string(std::string content) {
  return std::make_unique<StringSource>(std::move(content));
}

std::unique_ptr<Source> from_fd(sys::UniqueFd fd, std::string what) {
  return std::make_unique<FdSource>(std::move(fd), std::move(what));
}

std::string read_stdin(std::uint64_t limit) {
  sys::UniqueFd fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
  if (!fd) util::throw_errno("cannot read stdin");
  return read_all(*from_fd(std::move(fd), "stdin"), "stdin", limit);
}

std::unique_ptr<Source> from_range(std::shared_ptr<const sys::UniqueFd> fd, std::uint64_t offset,
                                   std::uint64_t size, std::string what) {
  return std::make_unique<RangeSource>(std::move(fd), offset, size, std::move(what));
}

}  // namespace stream
