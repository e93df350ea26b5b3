// Where the native engine works: what lets steps run and what keeps their files.
#pragma once

#include <filesystem>
#include <memory>

#include "common/sandbox/sandbox.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/sys/work_dir.hpp"
#include "common/util/error.hpp"

namespace native {

struct Isolation {
  sys::WorkDir directory;  // private, removed with the object
  std::unique_ptr<snapshot::Snapshotter> snapshotter;
  std::unique_ptr<sandbox::Sandbox> sandbox;
};

// This machine, or the sandbox around us, cannot run the engine. The message is the reason alone.
class CannotRun : public util::Error {
public:
  using util::Error::Error;
};

// What a build may come to; to find out what it needs takes as long as a small build of copies.
enum class Work { copies, steps };

// Isolation "namespaces". Returns in a child of this process, which is the first of a process namespace, has
// mounts of its own and lives as long as this one (see sys::enter_process_namespace). What `work` needs is
// found out by doing it: capabilities and versions lie. Throws CannotRun, in this very process, where that
// fails; nothing is left then. `work_dir` is where the private directory is made. Call it before threads
// exist.
Isolation enter_namespaces(const std::filesystem::path& work_dir, Work work);

}  // namespace native
