// What a build step changed: the difference between a change set and what lies below it.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

#include "common/layer/change_set.hpp"
#include "common/sys/cancellation.hpp"

namespace layer {

struct Change {
  enum class Kind { written, removed };

  Kind kind = Kind::written;
  std::string path;       // relative to the root, no slash at either end
  struct stat status {};  // of a written entry, from the change set
};

using ChangeVisitor = std::function<void(const Change&)>;

// Calls `visit` for every difference, in the order in which a walk by sorted names meets it: a directory
// before what is in it. `lower` shows the merged filesystem below; null = there is none.
//   Removed: overlay whiteouts (character device 0:0) of something that exists below, and everything below an
//   opaque directory that does not stand in it again. Written: entries that are new, or differ in type, mode,
//   owner, device number or file capabilities; for anything but directories also in size or mtime. Where both
//   mtimes have no nanoseconds (an unpacked layer's files), content is compared too. A directory whose mtime
//   alone differs is not a change.
// These are BuildKit's rules (util/overlay, continuity/fs). Throws util::Error, also as
// sys::Cancellation::check does.
void diff(const ChangeSet& upper, const ChangeSet* lower, const ChangeVisitor& visit,
          const sys::Cancellation& cancel = {});

}  // namespace layer
