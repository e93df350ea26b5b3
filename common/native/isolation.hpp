// Where the native engine works: what lets steps run and what keeps their files.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/document/request.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/sys/work_dir.hpp"
#include "common/util/error.hpp"

namespace native {

// An isolation that was found not to work here, and why.
struct PassedOver {
  document::IsolationChoice isolation;
  std::string reason;
};

struct Isolation {
  document::IsolationChoice kind;
  sys::WorkDir directory;  // private, removed with the object
  std::unique_ptr<snapshot::Snapshotter> snapshotter;
  std::unique_ptr<sandbox::Sandbox> sandbox;
  std::vector<PassedOver> passed_over = {};  // those before it
};

// This machine, or the sandbox around us, cannot run the engine. The message is the reason alone.
class CannotRun : public util::Error {
public:
  using util::Error::Error;
};

// What a build may come to; to find out what it needs takes as long as a small build of copies.
enum class Work { copies, steps };

// Enters the isolation that is asked for, or the first that works: by namespaces, by those in a user
// namespace, by chroot(2), and where no step can run one in which all but steps can be done. What each needs
// is found out by doing it: capabilities and versions lie. With the first two it returns in a child of this
// process, which is the first of a process namespace, has mounts of its own and lives as long as this one
// (see sys::enter_process_namespace). Throws CannotRun, in this very process, where the one that is asked for
// does not work, or none for want of a disk, say; nothing is left then. `work_dir` is where the private
// directory is made. Call it before threads exist.
Isolation enter_isolation(const std::filesystem::path& work_dir, Work work,
                          document::IsolationChoice wanted = document::IsolationChoice::automatic);

// "not namespaces: this container may not mount anything; not userns: ..."; empty where none was passed over.
std::string describe(const std::vector<PassedOver>& passed_over);

}  // namespace native
