// Whether the trees that a build uses are as they were made: found out while it runs, in the time that it
// leaves a core idle, because looking at every file of a base takes as long as some of its steps.
#pragma once

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/store/entries.hpp"
#include "common/store/tree_record.hpp"
#include "common/store/warn.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/thread.hpp"

namespace store {

// An unpacked image, held open: its folder, and the root of its files in there.
struct OpenTree {
  Folder place;
  Folder root;
};

enum class Made { earlier, now };

// Thread-safe. The destructor leaves undone what nobody waited for.
class TreeWatch {
public:
  // `partial` is where the store writes; it lives longer.
  TreeWatch(const Folder& partial, Warn warn) : partial_(partial), warn_(std::move(warn)) {}

  // Of one that was made earlier a second call for the same name does nothing.
  void add(const std::string& name, std::shared_ptr<const OpenTree> tree, const TreeRecord& record,
           Made made);

  // Waits for the seals of all; where one is broken, for the bytes too. A tree that is not as it was made has
  // lost its record then, and a warning says so. False then, and where a signal ended the look. Others may
  // add() meanwhile.
  bool are_sound();

  // Waits for everything, also for the bytes of trees that were made now.
  void finish();

private:
  struct Watched {
    std::shared_future<bool> is_sound;
    sys::Thread thread;
    sys::Canceller abandon;
  };

  const Folder& partial_;
  Warn warn_;
  std::mutex mutex_;
  bool sound_ = true;
  std::map<std::string, Watched> trees_;
};

}  // namespace store
