// What steps see of local files: copies, owned by root and without what is ignored.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace solver {

// Each is made once, whichever step needs it first. Thread-safe.
class LocalCopies {
public:
  // The directory that `make` returned for this key the first time; what it throws leaves nothing behind.
  std::filesystem::path get(const std::string& key, const std::function<std::filesystem::path()>& make);

private:
  struct Copy {
    std::mutex mutex;
    std::filesystem::path path;  // guarded by mutex; empty = not made yet
  };

  std::mutex mutex_;
  std::map<std::string, Copy> copies_;  // guarded by mutex_
};

}  // namespace solver
