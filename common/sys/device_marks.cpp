// Two maps and a look into files of one size.
#include "common/sys/device_marks.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>

#include "common/sys/fd.hpp"
#include "common/util/error.hpp"

namespace sys {
namespace {

DeviceMarks* kept_marks = nullptr;

constexpr std::size_t content_size = sizeof "device 0123456789abcdef0123456789abcdef\n" - 1;

std::string draw_content() {
  std::array<std::uint64_t, 2> random;
  if (::getrandom(random.data(), sizeof random, 0) != static_cast<ssize_t>(sizeof random))
    util::throw_errno("cannot draw a random number");
  std::array<char, content_size + 1> text;
  std::snprintf(text.data(), text.size(), "device %016llx%016llx\n",
                static_cast<unsigned long long>(random[0]), static_cast<unsigned long long>(random[1]));
  return text.data();
}

}  // namespace

DeviceMarks* DeviceMarks::of_process() noexcept {
  return kept_marks;
}

void DeviceMarks::keep_for_process() {
  static DeviceMarks marks;
  kept_marks = &marks;
}

std::optional<std::string> DeviceMarks::content_for(const Device& device) {
  const std::lock_guard lock(mutex_);
  if (const auto found = contents_.find(device); found != contents_.end()) return found->second;
  if (contents_.size() >= most) return std::nullopt;
  auto content = draw_content();
  contents_.emplace(device, content);
  devices_.emplace(content, device);
  is_used_ = true;
  return content;
}

std::map<std::string, Device> DeviceMarks::contents() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, Device> contents;
  for (const auto& [device, content] : contents_)
    contents.emplace(content, device);
  return contents;
}

void DeviceMarks::learn(const std::map<std::string, Device>& contents) {
  if (contents.empty()) return;
  const std::lock_guard lock(mutex_);
  devices_.insert(contents.begin(), contents.end());
  is_used_ = true;
}

std::optional<Device> DeviceMarks::device_of(int file) const {
  std::array<char, content_size> text;
  if (::pread(file, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = devices_.find({text.data(), text.size()});
  return found == devices_.end() ? std::nullopt : std::optional(found->second);
}

void DeviceMarks::show(int directory, const std::string& name, struct stat& status) const {
  if (!is_used_ || !S_ISREG(status.st_mode) || status.st_size != static_cast<off_t>(content_size)) return;
  const UniqueFd file(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  const auto device = file ? device_of(file.get()) : std::nullopt;
  if (!device) return;
  status.st_mode = device->type | (status.st_mode & 07777);
  status.st_rdev = device->number;
  status.st_size = 0;
}

bool DeviceMarks::is_mark(int file) const {
  struct stat status;
  return is_used_ && ::fstat(file, &status) == 0 && status.st_size == static_cast<off_t>(content_size) &&
         device_of(file).has_value();
}

bool DeviceMarks::could_be_content(const std::string& text) noexcept {
  return text.size() == content_size;
}

}  // namespace sys
