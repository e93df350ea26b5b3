// Room for bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace util {

// Holds anything until it is filled. To fill it with zeros, as std::vector does, would make the kernel give
// memory for all of it, which takes longer than most files that are read through it.
class Buffer {
public:
  explicit Buffer(std::size_t size)
      : bytes_(std::make_unique_for_overwrite<std::byte[]>(size)), size_(size) {}

  std::byte* data() noexcept { return bytes_.get(); }
  std::size_t size() const noexcept { return size_; }
  std::byte* begin() noexcept { return data(); }
  std::byte* end() noexcept { return data() + size_; }

private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_;
};

}  // namespace util
