// The words for what a child reports.
#include "common/sandbox/explain.hpp"

#include <cerrno>
#include <string>
#include <system_error>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

[[noreturn]] void explain_exec(int error, const std::string& program) {
  if (error == ENOENT && program.find('/') == std::string::npos)
    throw StartError("exec: \"" + program + "\": executable file not found in $PATH");
  const std::error_code code(error, std::generic_category());
  // Not what the step asked for: a disk of this machine fails.
  if (error == EIO) throw util::Error("exec " + program + ": " + code.message(), util::Cause{.code = code});
  throw StartError("exec " + program + ": " + code.message(), util::Cause{.code = code});
}

[[noreturn]] void explain_mount(int error, const MountStep& mount) {
  const std::string where = "cannot mount " + util::quote(mount.target) + " for the step";
  if (error == ELOOP) throw StartError(where + ": symlinks there go in circles");
  if (error == EBUSY) throw StartError(where + ": it is the root directory");
  if (error == ENOTDIR) {
    throw StartError(where + ": " +
                     (mount.point == MountStep::Point::directory
                          ? "a directory needs a directory to be mounted on, and directories on the way"
                          : "a file needs a file to be mounted on, and directories on the way"));
  }
  util::throw_errno(where, error);
}

}  // namespace

void explain(const Failure& failure, const ChildPlan& plan, const Spec& spec) {
  const auto index = static_cast<std::size_t>(failure.index);
  const auto base = [&]() -> const MountStep& { return plan.system[index].base; };
  const auto mount_step = [&]() -> const MountStep& { return plan.mounts[index]; };
  const auto reason = [&](const std::string& text) { util::throw_errno(text, failure.error); };
  using enum Failure::Step;
  switch (failure.step) {
    case exec:
      explain_exec(failure.error, util::escape(spec.args.front()));
    case mount:
      explain_mount(failure.error, mount_step());
    case working_dir:
      if (failure.error == EROFS)
        throw StartError("cannot make the working directory " + util::quote(spec.working_dir) +
                         ": it would lie in a read-only mount");
      reason("cannot enter the working directory " + util::quote(spec.working_dir));
      break;
    case root:
      reason("cannot enter the step's root");
      break;
    case null_device:
      reason("'/dev/null' of this machine is not the null device");
      break;
    case system:
      reason("cannot make the step's /" + base().target);
      break;
    case no_directory:
      throw StartError("cannot mount '/" + base().target + "' for the step: filesystem \"" +
                       base().filesystem.type + "\" must be mounted on ordinary directory");
    case mount_in_proc:
      throw StartError("cannot mount " + util::quote(mount_step().target) +
                       " for the step: it cannot be mounted because it is inside /proc");
    case lock:
      throw LockRefused();
    case starter:
      if (failure.error == E2BIG) explain_exec(failure.error, util::escape(spec.args.front()));
      reason("cannot execute the step's starter");
      break;
    case network:
      reason("cannot bring up the step's network");
      break;
    case identity:
      // No process has such an id, or none in this user namespace.
      if (failure.error == EINVAL)
        throw StartError("cannot become the step's user: the uid, the gid or the id of a group is none here");
      reason("cannot become the step's user");
      break;
    case seccomp:
      reason("cannot apply the step's seccomp filter");
      break;
  }
  throw util::Error("the step cannot be started");
}

}  // namespace sandbox
