// Filesystems of build steps: a writable root over what came before, and what the step changed in it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/layer/change_set.hpp"
#include "common/sys/cancellation.hpp"

namespace snapshot {

// A filesystem at one point of a build: trees on top of each other, lowest first. Each is a plain directory;
// all but the lowest may hold whiteouts (character device 0:0, or what stands for it, sys::DeviceMarks) and
// opaque marks (overlay xattr).
struct Stack {
  std::vector<std::filesystem::path> trees;
};

// What a stack shows, read without a mount.
std::unique_ptr<layer::ChangeSet> read(const Stack& stack);

// A root being changed. Dropped without commit() it leaves nothing.
class Workspace {
public:
  virtual ~Workspace() = default;

  // Where the writable root is mounted.
  virtual const std::filesystem::path& root() const = 0;

  // What was changed so far takes this much on disk. Throws as sys::Cancellation::check does.
  virtual std::uint64_t written(const sys::Cancellation& cancel) const = 0;

  // Of a root that was open to steps: from now on nothing in it changes, whoever holds descriptors of it.
  // Throws util::Error where somebody has a file open for writing.
  virtual void freeze() = 0;

  // Ends the work: nothing is mounted any more, and the change lies as a tree on `tree`, a path that does not
  // exist yet on the same filesystem. Throws util::Error. At most once.
  virtual void commit(const std::filesystem::path& tree) = 0;
};

// Who writes to a root: processes that may hand on descriptors of it, or the engine alone.
enum class Writers { steps, engine };

class Snapshotter {
public:
  virtual ~Snapshotter() = default;

  // Where it works. Trees must be on this filesystem.
  virtual const std::filesystem::path& directory() const = 0;

  // A writable root over `lower`. Safe to call from several threads. Throws util::Error.
  virtual std::unique_ptr<Workspace> open(const Stack& lower, Writers writers = Writers::engine) = 0;

  // The same for a step that changes what it sees, while nobody keeps what it changes: for bind mounts.
  virtual std::unique_ptr<Workspace> open_passing(const Stack& stack) = 0;

  // The same read-only, for sources of copies and bind mounts. Nothing is mounted for a stack of one tree.
  virtual std::unique_ptr<Workspace> open_read_only(const Stack& stack) = 0;
};

// When a trial tells whether overlays work: at once, or before the first mount, which may never come.
enum class Probe { now, when_used };

// Works in `directory`, which must be able to hold overlay upper directories; what makes the trial throws
// util::Error saying why when a mount does not work there.
std::unique_ptr<Snapshotter> make_overlay(const std::filesystem::path& directory, Probe when = Probe::now);

// Works in any `directory`, and mounts nothing: what a stack shows is copied to a plain directory, which is
// changed in place from step to step of a stage. What a step has changed is found by looking at all of it
// (scan.hpp). A stack that two go on from is copied once more. Names of one file are parted before a step, as
// an overlay parts those of a lower layer at the first write, unless that takes hundreds of megabytes.
std::unique_ptr<Snapshotter> make_plain(const std::filesystem::path& directory);

}  // namespace snapshot
