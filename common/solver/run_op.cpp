// A RUN step: its mounts, its environment, its process.
#include "common/solver/run_op.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <system_error>

#include "common/dockerfile/paths.hpp"
#include "common/dockerfile/source.hpp"
#include "common/dockerfile/text.hpp"
#include "common/engine/advice.hpp"
#include "common/sandbox/user.hpp"
#include "common/solver/cache_mounts.hpp"
#include "common/solver/copier.hpp"
#include "common/solver/file_ops.hpp"
#include "common/sys/disk_use.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

using dockerfile::MountType;

sandbox::Network network_of(dockerfile::Network network) {
  switch (network) {
    case dockerfile::Network::none:
      return sandbox::Network::none;
    case dockerfile::Network::host:
      return sandbox::Network::host;
    case dockerfile::Network::sandbox:
      break;
  }
  return sandbox::Network::shared;
}

// Where `source` of a bind mount lies in a build context.
std::string require_source(SourceTree& tree, const std::string& source) {
  const auto path = follow(tree, source);
  if (!tree.status(path)) throw util::Error(not_found(sys::clean_path(source)));
  return path;
}

class RunOp {
public:
  RunOp(const plan::Run& op, const Inputs& inputs, Trees& trees, const StepServices& services,
        const sys::Cancellation& cancel)
      : op_(op), inputs_(inputs), trees_(trees), services_(services), cancel_(cancel) {}

  Change run(engine::Progress::Vertex& vertex) {
    const auto& below = inputs_.at(op_.root).stack;
    const auto workspace = trees_.snapshotter().open(below, snapshot::Writers::steps);
    sandbox::Spec spec;
    spec.root = workspace->root();
    spec.args = op_.arguments;
    spec.working_dir = op_.working_dir;
    spec.user = op_.user;
    spec.cancel = cancel_;
    if (!op_.hostname.empty()) spec.hostname = op_.hostname;
    set_environment(spec);
    for (const auto& host : services_.hosts)
      spec.hosts.push_back(host.ip + "\t" + host.host);
    spec.network = network_of(op_.network);
    spec.insecure = op_.security == dockerfile::Security::insecure;
    const CacheMounts caches(op_, inputs_, trees_.snapshotter(), services_.store, failure(), vertex, cancel_);
    for (const auto& mount : op_.mounts)
      add_mount(mount, caches, spec);
    if (op_.script) {
      spec.files.push_back(
          {.target = "/dev/pipes/" + op_.script->name, .content = op_.script->content, .mode = 0755});
    }

    const auto emulation = services_.emulators.find(op_.platform, cancel_);
    if (emulation.emulator) emulate(*emulation.emulator, spec);

    const auto print = [&](std::string_view text) { vertex.write(text); };
    const auto status = util::with_context(failure(), [&] {
      return explained(emulation, print, [&] { return services_.sandbox.run(spec, print); });
    });
    if (!status.success()) {
      const auto what = failure() + ": exit code: " + std::to_string(status.as_exit_code());
      if (const auto full = caches.full(); !full.empty()) {
        // Perhaps it fails for that, and what else is in the store can go.
        util::throw_errno(what + "; nothing more can be written to its cache " + util::quote(full), ENOSPC);
      }
      if (const auto room = sys::room_on_disk(trees_.directory()); room && room->is_full) {
        util::throw_errno(what + "; the disk of the build is full, " +
                              util::human_size(workspace->written(cancel_)) + " are of this step",
                          ENOSPC);
      }
      throw util::Error(what);
    }
    // What is read of it next is what it is known by. An insecure step may leave mounts that end later.
    if (!spec.insecure) util::with_context(failure(), [&] { workspace->freeze(); });
    return trees_.commit(*workspace);
  }

private:
  std::string failure() const {
    return "process " + dockerfile::in_quotes(util::join(op_.arguments, " ")) +
           " did not complete successfully";
  }

  // Of secret and ssh mounts, which the language does not make absolute.
  std::string absolute(const std::string& target) const {
    return target.starts_with('/') ? target : dockerfile::join_path(op_.working_dir, target);
  }

  static bool has_variable(const sandbox::Spec& spec, const std::string& name) {
    return std::any_of(spec.env.begin(), spec.env.end(),
                       [&](const std::string& variable) { return variable.starts_with(name + "="); });
  }

  void set_environment(sandbox::Spec& spec) const {
    spec.env = op_.environment;
    if (!has_variable(spec, "PATH"))
      spec.env.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    // They win over ENV and ARG; an empty one is none.
    for (const auto& [name, value] : services_.proxies) {
      if (value.empty()) continue;
      const auto start = name + "=";
      std::erase_if(spec.env, [&](const auto& variable) { return variable.starts_with(start); });
      spec.env.push_back(start + value);
    }
  }

  void add_mount(const plan::Run::Mount& mount, const CacheMounts& caches, sandbox::Spec& spec) {
    const auto& options = mount.options;
    switch (options.type) {
      case MountType::bind:
        places_.push_back(bind_source(mount));
        spec.binds.push_back(
            {.target = options.target, .read_only = options.read_only, .place = places_.back().get()});
        break;
      case MountType::cache:
        spec.binds.push_back({.target = options.target,
                              .read_only = options.read_only,
                              .place = caches.directory(mount),
                              .lasting = true});
        break;
      case MountType::tmpfs:
        spec.tmpfs.push_back(
            {.target = options.target,
             .size = options.size_limit > 0
                         ? std::optional<std::uint64_t>(static_cast<std::uint64_t>(options.size_limit))
                         : std::nullopt});
        break;
      case MountType::secret:
        add_secret(options, spec);
        break;
      case MountType::ssh:
        add_ssh(options, spec);
        break;
    }
  }

  // The emulator is started in place of the program, which it does not look up on PATH by itself.
  static void emulate(const std::filesystem::path& emulator, sandbox::Spec& spec) {
    spec.binds.push_back({.source = emulator, .target = std::string(emulator_mount), .read_only = true});
    auto& program = spec.args.front();
    if (program.find('/') == std::string::npos) {
      auto root = sys::RootedDir::open(spec.root);
      const auto path = std::find_if(spec.env.rbegin(), spec.env.rend(), [](const std::string& variable) {
        return variable.starts_with("PATH=");
      });
      for (const auto& directory : util::split(path->substr(5), ':')) {
        if (!root.follow(directory + "/" + program)) continue;
        program = directory + "/" + program;
        break;
      }
    }
    spec.args.insert(spec.args.begin(), std::string(emulator_mount));
  }

  // A step that cannot be started says why where others print, and ends as if it had run. A program that the
  // kernel does not know may be a foreign one.
  template <typename Action>
  sys::ExitStatus explained(const Emulation& emulation, const sandbox::Output& print, Action&& action) const {
    try {
      return action();
    } catch (const sandbox::StartError& error) {
      const std::string what = error.what();
      if (!emulation.is_native && !emulation.emulator &&
          error.cause().code == std::errc::executable_format_error)
        throw util::Error(what + "; " + emulation_advice(op_.platform));
      print(what + "\n");
      return {.code = 1};
    }
  }

  // What is mounted, as the walk through its tree has found it: another step may hold a descriptor of the
  // tree and exchange what a name leads to. Writes go to a layer of their own that is thrown away.
  sys::UniqueFd bind_source(const plan::Run::Mount& mount) {
    const auto& from = inputs_.at(*mount.from);
    snapshot::Stack stack = from.stack;
    std::string source = mount.options.source;
    if (from.local) {
      const auto copy = local_copy(*from.local, source);
      if (mount.options.read_only)
        return sys::RootedDir::open(copy.parent_path()).open_place(copy.filename().string());
      stack = {.trees = {copy.parent_path()}};
      source = copy.filename();
    }
    mounted_.push_back(mount.options.read_only ? trees_.snapshotter().open_read_only(stack)
                                               : trees_.snapshotter().open_passing(stack));
    const auto& root = mounted_.back()->root();
    auto place = sys::RootedDir::open(root).open_place(source);
    if (!place) {
      const auto path = follow(*root_source(root), source);
      // BuildKit looks for it before, but not in what is the root of the step.
      if (*mount.from != op_.root) throw util::Error(not_found(sys::clean_path(mount.options.source)));
      throw util::Error(failure() + ": open /" + util::escape(path) + ": no such file or directory");
    }
    return place;
  }

  // Of the one path alone: a context may be large.
  std::filesystem::path local_copy(const LocalFiles& local, const std::string& source) {
    return services_.local_copies.get(local.name + "\n" + source, [&] {
      const auto& tree = local.tree;
      const auto path = require_source(*tree, source);
      const auto status = tree->status(path);
      const auto directory = trees_.new_path();
      sys::make_directory(directory, 0755);
      auto root = sys::RootedDir::open(directory);
      const std::string name = "copy";
      CopyOptions options;
      options.cancel = cancel_;
      Copier(tree, *directory_target(root), options).copy(path, name, "/" + name);
      if (S_ISDIR(status->st_mode) && !path.empty())
        root.set_mode(sys::RootedPath().child(name), status->st_mode & 07777);
      root.settle();
      return directory / name;
    });
  }

  void add_secret(const dockerfile::Mount& options, sandbox::Spec& spec) const {
    const auto content = services_.secrets.find(options.id);
    if (!content) {
      if (options.required)
        throw util::Error("secret " + options.id + ": not found; " + engine::secret_advice(options.id));
      if (options.env) spec.env.push_back(*options.env + "=");
      return;
    }
    if (options.env) spec.env.push_back(*options.env + "=" + *content);
    if (options.target.empty()) return;
    spec.files.push_back({.target = absolute(options.target),
                          .content = *content,
                          .mode = options.mode.value_or(0400) & 0777,
                          .uid = options.uid.value_or(0),
                          .gid = options.gid.value_or(0)});
  }

  // The variable is set, too, where no agent is: whoever looks for one finds that there is none.
  void add_ssh(const dockerfile::Mount& options, sandbox::Spec& spec) {
    const std::string target =
        options.target.empty() ? "/run/buildkit/ssh_agent." + std::to_string(ssh_mounts_) : options.target;
    if (ssh_mounts_++ == 0 && !has_variable(spec, "SSH_AUTH_SOCK"))
      spec.env.push_back("SSH_AUTH_SOCK=" + target);
    auto socket = services_.ssh.open(options.id, {.mode = options.mode.value_or(0600) & 0777,
                                                  .uid = options.uid.value_or(0),
                                                  .gid = options.gid.value_or(0)});
    if (socket) {
      spec.binds.push_back({.source = socket->path(), .target = absolute(target)});
      sockets_.push_back(std::move(socket));
    } else if (options.required) {
      throw util::Error(
          services_.ssh.absence(options.id, options.id == "default" ? std::string() : options.id));
    }
  }

  const plan::Run& op_;
  const Inputs& inputs_;
  Trees& trees_;
  const StepServices& services_;
  const sys::Cancellation& cancel_;
  std::vector<std::unique_ptr<snapshot::Workspace>> mounted_;
  std::vector<sys::UniqueFd> places_;  // of what is mounted, in `mounted_`
  std::vector<std::unique_ptr<AgentSocket>> sockets_;
  int ssh_mounts_ = 0;
};

}  // namespace

void require_entitlements(const plan::Run& op, const document::Request& request) {
  const auto require = [&](document::Entitlement entitlement, const std::string& near) {
    const auto& given = request.entitlements;
    if (std::find(given.begin(), given.end(), entitlement) == given.end())
      throw dockerfile::SyntaxError("failed to load LLB: " + std::string(to_string(entitlement)) +
                                        " is not allowed; " +
                                        engine::entitlement_advice(entitlement, request),
                                    near);
  };
  if (op.network == dockerfile::Network::host) require(document::Entitlement::network_host, "--network=host");
  if (op.security == dockerfile::Security::insecure)
    require(document::Entitlement::security_insecure, "--security=insecure");
}

void require_sandbox(const plan::Run& op, const sandbox::Sandbox& sandbox) {
  const bool is_insecure = op.security == dockerfile::Security::insecure;
  if (const auto refusal = sandbox.refusal(network_of(op.network), is_insecure))
    throw dockerfile::SyntaxError(*refusal, "RUN");
}

void require_sources(const plan::Run& op, plan::OpId from, const LocalFiles& files) {
  for (const auto& mount : op.mounts) {
    if (mount.from == from && mount.options.type == MountType::bind)
      require_source(*files.tree, mount.options.source);
  }
}

Content content(const plan::Run::Mount& mount, const Filesystem& from, snapshot::Snapshotter& snapshotter,
                const sys::Cancellation& cancel) {
  const auto tree = open_source(from, snapshotter);
  const auto path = follow(*tree, mount.options.source);
  const bool is_there = tree->status(path).has_value();
  // A cache that would begin with what is not there begins empty.
  if (!is_there && mount.options.type != MountType::cache) throw util::Error(not_found(path));
  CopyOptions options;
  options.cancel = cancel;
  return content_of(tree, is_there ? std::vector<Selected>{{path, ""}} : std::vector<Selected>(), options);
}

Change run(const plan::Run& op, const Inputs& inputs, Trees& trees, const StepServices& services,
           engine::Progress::Vertex& vertex, const sys::Cancellation& cancel) {
  return RunOp(op, inputs, trees, services, cancel).run(vertex);
}

}  // namespace solver
