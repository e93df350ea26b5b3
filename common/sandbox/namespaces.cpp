// The sandbox of isolation "namespaces": new mount, pid, ipc, uts, cgroup (and net) namespaces, set up with
// nothing but the mount calls that sandboxes around us allow.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <shared_mutex>

#include "common/sandbox/capabilities.hpp"
#include "common/sandbox/check_spec.hpp"
#include "common/sandbox/child.hpp"
#include "common/sandbox/device_guard.hpp"
#include "common/sandbox/explain.hpp"
#include "common/sandbox/failure.hpp"
#include "common/sandbox/insecure_devices.hpp"
#include "common/sandbox/memory_files.hpp"
#include "common/sandbox/mount_flags.hpp"
#include "common/sandbox/mount_points.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/sandbox/seccomp.hpp"
#include "common/sandbox/starter.hpp"
#include "common/sandbox/step_parts.hpp"
#include "common/sandbox/step_process.hpp"
#include "common/sandbox/trees.hpp"
#include "common/sandbox/user.hpp"
#include "common/sandbox/working_dir.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

namespace fs = std::filesystem;
using Point = MountStep::Point;

constexpr std::uint64_t no_privileges = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

// True in a user namespace other than the machine's own, where device nodes cannot be made.
bool in_user_namespace() {
  constexpr ino_t of_the_machine = 0xEFFFFFFD;  // PROC_USER_INIT_INO
  struct stat status;
  return ::stat("/proc/self/ns/user", &status) == 0 && status.st_ino != of_the_machine;
}

// A container may have taken that away from root.
bool may_make_devices() {
  return !in_user_namespace() && (own_capabilities() >> CAP_MKNOD & 1) != 0;
}

MountStep attach(const fs::path& source, std::string target, std::uint64_t attributes) {
  return {.target = std::move(target),
          .point = sys::leads_to_directory(source) ? Point::directory : Point::file,
          .tree = detached_tree(source),
          .attributes = attributes};
}

MountStep attach(const BindMount& bind, std::uint64_t attributes) {
  if (bind.place < 0) return attach(bind.source, bind.target, attributes);
  const std::string what = "the source of " + util::quote(bind.target);
  struct stat status;
  if (::fstat(bind.place, &status) != 0) util::throw_errno("cannot look at " + what);
  return {.target = bind.target,
          .point = S_ISDIR(status.st_mode) ? Point::directory : Point::file,
          .tree = detached_tree(bind.place, what),
          .attributes = attributes};
}

MountStep filesystem(std::string type, std::string target, unsigned long flags, std::string options = {},
                     std::string fallback = {}) {
  return {.target = std::move(target),
          .filesystem = {.type = std::move(type),
                         .options = std::move(options),
                         .fallback_options = std::move(fallback),
                         .flags = flags}};
}

MountStep optional(MountStep step) {
  step.optional = true;
  return step;
}

constexpr unsigned long inert_flags = ms_nosuid | ms_nodev | ms_noexec;

SystemTree proc_tree(bool insecure) {
  SystemTree tree{.base = filesystem("proc", "proc", inert_flags)};
  if (insecure) return tree;
  tree.masked = {"acpi",          "asound",     "kcore",       "interrupts",  "keys",
                 "latency_stats", "timer_list", "timer_stats", "sched_debug", "scsi"};
  tree.read_only = {"bus", "fs", "irq", "sys", "sysrq-trigger"};
  return tree;
}

SystemTree dev_tree(Devices devices) {
  const unsigned long nodev = devices == Devices::made ? 0 : ms_nodev;
  SystemTree tree{
      .base = filesystem("tmpfs", "dev", ms_nosuid | ms_strictatime | nodev, "mode=755,size=65536k"),
      .devices = devices};
  tree.inside.push_back(filesystem("devpts", "pts", ms_nosuid | ms_noexec,
                                   "newinstance,ptmxmode=0666,mode=0620,gid=5",
                                   "newinstance,ptmxmode=0666,mode=0620"));
  tree.inside.push_back(filesystem("tmpfs", "shm", inert_flags, "mode=1777,size=65536k"));
  tree.inside.push_back(optional(filesystem("mqueue", "mqueue", inert_flags)));
  return tree;
}

SystemTree sys_tree(bool insecure) {
  const unsigned long flags = insecure ? inert_flags : inert_flags | ms_rdonly;
  // A sysfs of our own needs a network namespace of our own user namespace; else the one that is there will
  // do.
  SystemTree tree{.base = in_user_namespace() ? attach("/sys", "sys", MOUNT_ATTR_RDONLY)
                                              : filesystem("sysfs", "sys", flags)};
  tree.inside.push_back(optional(filesystem("cgroup2", "fs/cgroup", flags)));
  if (!insecure) tree.masked = {"firmware", "devices/virtual/powercap"};
  return tree;
}

// What every step has.
void add_system(const Spec& spec, Devices devices, ChildPlan& plan) {
  plan.system.push_back(proc_tree(spec.insecure));
  plan.system.push_back(dev_tree(devices));
  if (spec.insecure && devices == Devices::made) plan.system.back().nodes = insecure_devices();
  plan.system.push_back(sys_tree(spec.insecure));
}

// `guard` are attributes that bind mounts have as well.
void add_files(const Spec& spec, MemoryFiles& memory, std::vector<MemoryFiles::File>& files,
               std::uint64_t guard, ChildPlan& plan) {
  constexpr std::uint64_t inert = no_privileges | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;
  const auto file = [&](const std::string& content, mode_t mode, uid_t uid, gid_t gid) {
    return files.emplace_back(memory.make(content, mode, uid, gid)).path();
  };
  plan.mounts.push_back(attach(file(resolv_conf_file(spec), 0644, 0, 0), "/etc/resolv.conf", inert));
  plan.mounts.push_back(attach(file(hosts_file(spec), 0644, 0, 0), "/etc/hosts", inert));

  std::vector<MountStep> own;
  for (const auto& bind : spec.binds) {
    own.push_back(attach(bind, guard | (bind.read_only ? MOUNT_ATTR_RDONLY : 0)));
  }
  for (const auto& tmpfs : spec.tmpfs) {
    const auto size = tmpfs.size ? ",size=" + std::to_string(*tmpfs.size) : "";
    own.push_back(
        filesystem("tmpfs", tmpfs.target, ms_nosuid | (guard != 0 ? ms_nodev : 0), "mode=1777" + size));
    own.back().takes_mode = true;
  }
  for (const auto& given : spec.files) {
    const bool runs = (given.mode & 0111) != 0;
    own.push_back(attach(file(given.content, given.mode, given.uid, given.gid), given.target,
                         runs ? inert & ~std::uint64_t{MOUNT_ATTR_NOEXEC} : inert));
  }
  // What lies inside another mount comes after it.
  const auto depth = [](const MountStep& step) {
    return std::count(step.target.begin(), step.target.end(), '/');
  };
  std::stable_sort(own.begin(), own.end(), [&](const auto& a, const auto& b) { return depth(a) < depth(b); });
  std::move(own.begin(), own.end(), std::back_inserter(plan.mounts));
}

void add_protection(const Spec& spec, ChildPlan& plan) {
  if (spec.insecure) {
    plan.capabilities = own_capabilities();
    plan.ambient = true;
    return;
  }
  plan.capabilities = default_capabilities() & own_capabilities();
  plan.seccomp = default_seccomp_filter();
}

// What the starter takes.
std::vector<std::string> starter_arguments(const std::vector<std::string>& programs,
                                           const std::vector<std::string>& args) {
  std::vector<std::string> arguments = {"starter", std::to_string(programs.size())};
  arguments.insert(arguments.end(), programs.begin(), programs.end());
  arguments.insert(arguments.end(), args.begin(), args.end());
  return arguments;
}

class NamespaceSandbox : public Sandbox {
public:
  // Absolute: the child uses paths below it after it has changed its directory.
  explicit NamespaceSandbox(const fs::path& directory) : directory_(sys::absolute_path(directory)) {}

  sys::ExitStatus run(const Spec& spec, const Output& output) override {
    refuse_nul_bytes(spec);
    std::call_once(prepared_, [this] { prepare(); });
    // It is root on the machine anyway.
    if (spec.insecure) return start(spec, output, false);
    if (can_lock_) {
      try {
        const std::shared_lock among_locked(unlocked_);
        return start(spec, output, true);
      } catch (const LockRefused&) {
        can_lock_ = false;
      }
    }
    // No other step may live on when this one ends.
    const std::unique_lock alone(unlocked_);
    return start(spec, output, false);
  }

private:
  sys::ExitStatus start(const Spec& spec, const Output& output, bool lock) {
    auto root = sys::RootedDir::open(spec.root);
    MountPoints points(spec.root, mount_targets(spec));
    const User user = resolve_user(root, spec.user);
    make_working_dir(root, spec.working_dir, user);
    root.settle();

    std::vector<MemoryFiles::File> files;
    ChildPlan plan;
    // A step is root and may make device nodes, or find some in a layer: a disk of the machine must not open.
    const std::uint64_t guard = devices_guarded_ || spec.insecure ? 0 : MOUNT_ATTR_NODEV;
    plan.root = detached_tree(spec.root);
    if (guard != 0) set_tree_attributes(plan.root.get(), guard);
    // Absolute: the child has changed its directory when it mounts there.
    plan.root_target = sys::absolute_path(spec.root).string();
    add_system(spec, devices(spec), plan);
    add_files(spec, *memory_, files, guard, plan);
    add_protection(spec, plan);
    plan.lock = lock;
    plan.loopback = spec.network == Network::none;
    plan.hostname = spec.hostname;
    plan.uid = user.uid;
    plan.gid = user.gid;
    plan.groups = user.groups;
    plan.working_dir = spec.working_dir;

    const auto env = environment_of(spec, user);
    const auto arguments = starter_arguments(candidates(spec.args.front(), env), spec.args);
    plan.starter_fd = starter_->fd();
    plan.argv = pointers(arguments);
    plan.environment = pointers(env);

    try {
      const auto status = execute(spec, plan, output);
      points.remove();
      return status;
    } catch (const LockRefused&) {
      points.remove();  // the step is started once more, and is to find its root as it was
      throw;
    }
  }

  static sys::ExitStatus execute(const Spec& spec, ChildPlan& plan, const Output& output) {
    auto input = sys::make_pipe();
    auto printed = sys::make_pipe();
    auto errors = sys::make_pipe();
    plan.stdin_fd = input.read_end.get();
    plan.output_fd = printed.write_end.get();
    plan.error_fd = errors.write_end.get();
    input.write_end = sys::UniqueFd();
    plan.kept_fds = {plan.root.get(), plan.starter_fd, plan.stdin_fd, plan.output_fd, plan.error_fd};
    for (const auto& tree : plan.system) {
      if (tree.base.tree) plan.kept_fds.push_back(tree.base.tree.get());
    }
    for (const auto& mount : plan.mounts) {
      if (mount.tree) plan.kept_fds.push_back(mount.tree.get());
    }
    std::sort(plan.kept_fds.begin(), plan.kept_fds.end());

    unsigned long flags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    if (spec.network == Network::none) flags |= CLONE_NEWNET;
    StepProcess process(flags, plan);
    printed.write_end = sys::UniqueFd();
    errors.write_end = sys::UniqueFd();

    Failure failure;
    const auto bytes = std::as_writable_bytes(std::span(&failure, 1));
    if (sys::read_some(errors.read_end.get(), bytes, "the step's start") == sizeof failure) {
      process.wait();
      explain(failure, plan, spec);
    }
    return process.supervise(std::move(printed.read_end), output, spec.cancel);
  }

  // Not before the first step: many builds have none.
  void prepare() {
    memory_.emplace(directory_);
    starter_.emplace(*memory_);
    devices_guarded_ = devices_are_guarded(directory_);
  }

  Devices devices(const Spec& spec) const {
    if (!may_make_devices()) return Devices::attached;
    return devices_guarded_ || spec.insecure ? Devices::made : Devices::made_aside;
  }

  fs::path directory_;
  std::once_flag prepared_;
  std::optional<MemoryFiles> memory_;
  std::optional<Starter> starter_;
  bool devices_guarded_ = false;
  std::atomic<bool> can_lock_ = true;
  std::shared_mutex unlocked_;  // held alone by a step whose mounts are not locked
};

}  // namespace

std::unique_ptr<Sandbox> make_namespaces(const fs::path& directory) {
  return std::make_unique<NamespaceSandbox>(directory);
}

}  // namespace sandbox
