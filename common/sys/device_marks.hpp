// Device nodes where this process may make none: files that stand for them.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace sys {

struct Device {
  mode_t type;  // S_IFCHR or S_IFBLK
  dev_t number;
  friend bool operator<(const Device& a, const Device& b) {
    return std::pair(a.type, a.number) < std::pair(b.type, b.number);
  }
};

// A mark is a regular file, whose content is drawn by lot for each device: it can be moved, linked, removed
// and given another owner, mode and time as the device could, and nobody can write one that was not made for
// that device. RootedDir and layer::directory_changes make and show marks as the devices themselves; steps
// see files. What marks mean ends with the process, unless somebody keeps contents(). Thread-safe.
class DeviceMarks {
public:
  // That of this process; null where what the kernel refuses stays refused.
  static DeviceMarks* of_process() noexcept;
  // From now on, for good. Called before there are other threads.
  static void keep_for_process();

  // What to write into a file that is to stand for `device`. Nothing for one device too many (`most`), so
  // that no image fills the memory. Throws util::Error.
  std::optional<std::string> content_for(const Device& device);

  // What the contents mean that this process has drawn.
  std::map<std::string, Device> contents() const;
  // What those of another process mean.
  void learn(const std::map<std::string, Device>& contents);

  // Where `status`, as lstat(2) gave it, is that of a mark, changes it to that of its device.
  void show(int directory, const std::string& name, struct stat& status) const;
  bool is_mark(int file) const;

  static bool could_be_content(const std::string& text) noexcept;

  static constexpr std::size_t most = 4096;

private:
  std::optional<Device> device_of(int file) const;

  std::atomic<bool> is_used_ = false;  // so that most builds open no file for this
  mutable std::mutex mutex_;
  std::map<std::string, Device> devices_;   // by content
  std::map<Device, std::string> contents_;  // that this process writes
};

}  // namespace sys
