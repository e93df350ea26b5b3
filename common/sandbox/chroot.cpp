// The sandbox of isolation "chroot": what a container may do that may neither mount nor make namespaces.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <span>

#include "common/sandbox/capabilities.hpp"
#include "common/sandbox/check_spec.hpp"
#include "common/sandbox/chroot_child.hpp"
#include "common/sandbox/explain.hpp"
#include "common/sandbox/lending.hpp"
#include "common/sandbox/lent_rights.hpp"
#include "common/sandbox/mount_points.hpp"
#include "common/sandbox/notify_filter.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/sandbox/seccomp.hpp"
#include "common/sandbox/stand_ins.hpp"
#include "common/sandbox/step_parts.hpp"
#include "common/sandbox/step_process.hpp"
#include "common/sandbox/supervisor.hpp"
#include "common/sandbox/user.hpp"
#include "common/sandbox/working_dir.hpp"
#include "common/sys/hidden_memory.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

namespace fs = std::filesystem;

const std::string without_supervisor =
    "this step has /proc, /sys and the devices of /dev as empty places alone in isolation 'chroot'";

struct SocketPair {
  sys::UniqueFd ours;
  sys::UniqueFd theirs;
};

SocketPair make_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    util::throw_errno("cannot make a socket");
  return {sys::UniqueFd(ends[0]), sys::UniqueFd(ends[1])};
}

// What the step's process sends; an empty one where it has none. Nothing where it has ended before. `lender`
// gets the number of the lender, 0 for none.
std::optional<sys::UniqueFd> receive_listener(int socket, pid_t& lender) {
  iovec data{&lender, sizeof lender};
  int listener = -1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof listener)];
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = 0;
  while ((size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {}
  if (size != sizeof lender) return std::nullopt;
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return sys::UniqueFd();
  std::memcpy(&listener, CMSG_DATA(header), sizeof listener);
  return sys::UniqueFd(listener);
}

// The first of them that there is, if its file gives the user rights.
std::optional<std::string> program_with_rights(const Spec& spec, const std::vector<std::string>& programs,
                                               const User& user) {
  const Rights rights{.uid = user.uid, .gid = user.gid};
  auto root = sys::RootedDir::open(spec.root);
  for (const auto& program : programs) {
    const auto file = root.open_place(program);
    if (!file) continue;
    const bool has_rights = may_give_rights(file.get()) && gives(file.get(), rights) == Gives::rights;
    return has_rights ? std::optional(program) : std::nullopt;
  }
  return std::nullopt;
}

class ChrootSandbox : public Sandbox {
public:
  explicit ChrootSandbox(const fs::path& directory) : directory_(sys::absolute_path(directory)) {
    // Steps see our process, and are of our user: they shall not look into its memory or its variables.
    sys::hide_memory();
  }

  std::optional<std::string> refusal(Network, bool insecure) const override {
    if (!insecure) return std::nullopt;
    return "a step with --security=insecure needs rights that nobody has in isolation 'chroot'; run the task "
           "with "
           "'privileged: true'";
  }

  sys::ExitStatus run(const Spec& spec, const Output& output) override {
    refuse_nul_bytes(spec);
    if (const auto reason = refusal(spec.network, spec.insecure)) throw StartError(*reason);
    auto root = sys::RootedDir::open(spec.root);
    MountPoints points(spec.root, mount_targets(spec));
    const User user = resolve_user(root, spec.user);
    make_working_dir(root, spec.working_dir, user);
    root.settle();
    try {
      const auto status = run_as(user, spec, output);
      points.remove();
      return status;
    } catch (const util::Error&) {
      points.remove();
      throw;
    }
  }

private:
  sys::ExitStatus run_as(const User& user, const Spec& spec, const Output& output) {
    sys::TempDir aside(directory_, "covered-");
    StandIns stand_ins(spec.root, aside.path());
    try {
      const auto status = run_among(stand_ins, user, spec, output);
      stand_ins.put_back();
      return status;
    } catch (...) {
      stand_ins.put_back_quietly();
      if (stand_ins.has_kept()) aside.release();
      throw;
    }
  }

  sys::ExitStatus run_among(StandIns& stand_ins, const User& user, const Spec& spec, const Output& output) {
    const auto env = environment_of(spec, user);
    stand_ins.put_system();
    stand_ins.put_mounts(spec);

    ChrootPlan plan;
    plan.child.root = sys::UniqueFd(::open(spec.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!plan.child.root) util::throw_errno("cannot enter the step's root");
    plan.child.uid = user.uid;
    plan.child.gid = user.gid;
    plan.child.groups = user.groups;
    plan.child.working_dir = spec.working_dir;
    plan.child.capabilities = default_capabilities() & own_capabilities();
    plan.child.seccomp = default_seccomp_filter();
    if (spec.network == Network::none) plan.network = no_network_filter();

    plan.supervised = supervised_filter();
    auto programs = candidates(spec.args.front(), env);
    auto args = spec.args;
    if (const auto program = program_with_rights(spec, programs, user)) {
      args.insert(args.begin(), *program);
      programs = {borrower_as_starter};
    }
    plan.programs = pointers(programs);
    plan.child.argv = pointers(args);
    plan.child.environment = pointers(env);
    return execute(spec, user, plan, stand_ins, output);
  }

  static sys::ExitStatus execute(const Spec& spec, const User& user, ChrootPlan& plan,
                                 const StandIns& stand_ins, const Output& output) {
    auto input = sys::make_pipe();
    auto printed = sys::make_pipe();
    auto errors = sys::make_pipe();
    auto lifeline = sys::make_pipe();
    auto socket = make_socket_pair();
    plan.child.stdin_fd = input.read_end.get();
    plan.child.output_fd = printed.write_end.get();
    plan.child.error_fd = errors.write_end.get();
    plan.listener_socket = socket.theirs.get();
    plan.lifeline = lifeline.read_end.get();
    input.write_end = sys::UniqueFd();

    std::optional<Supervisor> supervisor;
    StepProcess process([&] { run_keeper(plan); }, std::move(lifeline.write_end));
    printed.write_end = sys::UniqueFd();
    errors.write_end = sys::UniqueFd();
    lifeline.read_end = sys::UniqueFd();
    socket.theirs = sys::UniqueFd();

    pid_t lender = 0;
    auto listener = receive_listener(socket.ours.get(), lender);
    if (listener && *listener) {
      const Rights rights{
          .uid = user.uid, .gid = user.gid, .groups = {user.groups.begin(), user.groups.end()}};
      supervisor.emplace(std::move(*listener), std::move(socket.ours),
                         Supervisor::Step{.root = spec.root.string(),
                                          .keeper = process.pid(),
                                          .lender = lender,
                                          .user = rights,
                                          .working_dir = spec.working_dir,
                                          .hostname = spec.hostname,
                                          .mounts = stand_ins.mounts(),
                                          .own_names = stand_ins.system_targets()});
    } else if (listener) {
      output("oci-build: " + without_supervisor +
             ", as this kernel, or a filter around it, lets nobody answer its "
             "system calls\n");
    }
    Failure failure;
    const auto bytes = std::as_writable_bytes(std::span(&failure, 1));
    if (sys::read_some(errors.read_end.get(), bytes, "the step's start") == sizeof failure) {
      process.wait();
      explain(failure, plan.child, spec);
    }
    const auto status = process.supervise(std::move(printed.read_end), output, spec.cancel);
    if (supervisor) {
      for (const auto& program : supervisor->finish()) {
        output(
            "oci-build: " + util::escape(program) +
            " has run without the rights that its file gives: in isolation 'chroot' only 64-bit programs get "
            "them, on kernels that let the memory of processes be written\n");
      }
    }
    return status;
  }

  fs::path directory_;
};

}  // namespace

std::unique_ptr<Sandbox> make_chroot(const fs::path& directory) {
  return std::make_unique<ChrootSandbox>(directory);
}

}  // namespace sandbox
