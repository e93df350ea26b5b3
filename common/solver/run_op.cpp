// A RUN step: its mounts, its environment, its process.
#include "common/solver/run_op.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "common/dockerfile/paths.hpp"
#include "common/dockerfile/text.hpp"
#include "common/sandbox/user.hpp"
#include "common/solver/copier.hpp"
#include "common/solver/source_tree.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

using dockerfile::MountType;

class RunOp {
public:
  RunOp(const plan::Run& op, const Inputs& inputs, Workshop& workshop)
      : op_(op), inputs_(inputs), workshop_(workshop) {}

  Filesystem run(engine::Progress::Vertex& vertex) {
    const auto& below = inputs_.at(op_.root).stack;
    const auto workspace = workshop_.snapshotter.open(below);
    sandbox::Spec spec;
    spec.root = workspace->root();
    spec.args = op_.arguments;
    spec.working_dir = op_.working_dir;
    spec.user = op_.user;
    spec.cancel_fd = workshop_.cancel_fd();
    set_environment(spec);
    for (const auto& host : workshop_.request.add_hosts)
      spec.hosts.push_back(host.ip + "\t" + host.host);
    spec.network =
        op_.network == dockerfile::Network::none ? sandbox::Network::none : sandbox::Network::shared;
    if (op_.network == dockerfile::Network::host)
      throw util::Error("failed to load LLB: network.host is not allowed");
    if (op_.security == dockerfile::Security::insecure)
      throw util::Error("failed to load LLB: security.insecure is not allowed");
    for (const auto& mount : op_.mounts)
      add_mount(mount, spec);
    if (op_.script) {
      spec.files.push_back(
          {.target = "/dev/pipes/" + op_.script->name, .content = op_.script->content, .mode = 0755});
    }

    const std::string failure =
        "process " + dockerfile::in_quotes(util::join(op_.arguments, " ")) + " did not complete successfully";
    const auto status = util::with_context(failure, [&] {
      return workshop_.sandbox.run(spec, [&](std::string_view text) { vertex.write(text); });
    });
    if (!status.success()) {
      throw util::Error(failure + ": exit code: " + std::to_string(status.as_exit_code()));
    }
    Filesystem result{.stack = below, .local = std::nullopt, .independent = false};
    result.stack.trees.push_back(workshop_.new_tree());
    workspace->commit(result.stack.trees.back());
    return result;
  }

private:
  void set_environment(sandbox::Spec& spec) const {
    spec.env = op_.environment;
    const auto has = [&](const std::string& name) {
      return std::any_of(spec.env.begin(), spec.env.end(),
                         [&](const std::string& variable) { return variable.starts_with(name + "="); });
    };
    if (!has("PATH"))
      spec.env.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    for (const auto& [name, value] : workshop_.proxies) {
      if (!has(name)) spec.env.push_back(name + "=" + value);
    }
  }

  void add_mount(const plan::Run::Mount& mount, sandbox::Spec& spec) {
    const auto& options = mount.options;
    switch (options.type) {
      case MountType::bind:
        spec.binds.push_back(
            {.source = bind_source(mount), .target = options.target, .read_only = options.read_only});
        break;
      case MountType::cache:
        spec.binds.push_back(
            {.source = cache_directory(mount), .target = options.target, .read_only = options.read_only});
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

  // A path below a filesystem. Writes go to a layer of their own that is thrown away.
  std::filesystem::path bind_source(const plan::Run::Mount& mount) {
    const auto& from = inputs_.at(*mount.from);
    std::filesystem::path root;
    if (from.local) {
      root = local_copy(*from.local);
    } else {
      mounted_.push_back(mount.options.read_only ? workshop_.snapshotter.open_read_only(from.stack)
                                                 : workshop_.snapshotter.open(from.stack));
      root = mounted_.back()->root();
    }
    const auto tree = root_source(root);
    const auto path = follow(*tree, mount.options.source);
    if (!tree->status(path)) {
      throw util::Error("failed to compute cache key: failed to calculate checksum: \"/" +
                        util::escape(path) + "\": not found");
    }
    return root / path;
  }

  // The context as a step sees it: without what is ignored, everything owned by root.
  std::filesystem::path local_copy(const plan::Local& local) {
    plan::Copy copy;
    copy.base = 0;
    copy.sources.push_back({.from = 1, .path = "/"});
    copy.destination = "/";
    const Inputs inputs = {{0, Filesystem{}},
                           {1, Filesystem{.stack = {}, .local = local, .independent = false}}};
    return solver::copy(copy, inputs, workshop_, Form::tree).stack.trees.back();
  }

  std::filesystem::path cache_directory(const plan::Run::Mount& mount) {
    const auto& options = mount.options;
    const auto key = hash::sha256(options.id).hex();
    const auto directory = workshop_.directory / ("cache-" + std::string(key));
    if (::mkdir(directory.c_str(), 0755) == 0) {
      if (mount.from) seed(mount, directory);
      if (::chmod(directory.c_str(), options.mode.value_or(0755)) != 0 ||
          ::chown(directory.c_str(), options.uid.value_or(0), options.gid.value_or(0)) != 0) {
        util::throw_errno("cannot set up the cache mount " + util::quote(options.id));
      }
    } else if (errno != EEXIST) {
      util::throw_errno("cannot make the cache mount " + util::quote(options.id));
    }
    return directory;
  }

  void seed(const plan::Run::Mount& mount, const std::filesystem::path& directory) {
    const auto& from = inputs_.at(*mount.from);
    const auto opened = workshop_.snapshotter.open_read_only(from.stack);
    const std::shared_ptr<SourceTree> tree = root_source(opened->root());
    auto root = sys::RootedDir::open(directory);
    Copier(tree, *directory_target(root), {}).copy(follow(*tree, mount.options.source), "", "/");
  }

  void add_secret(const dockerfile::Mount& options, sandbox::Spec& spec) const {
    const auto content = workshop_.secret(options.id);
    if (!content) {
      if (options.required) throw util::Error("secret " + options.id + ": not found");
      if (options.env) spec.env.push_back(*options.env + "=");
      return;
    }
    if (options.env) spec.env.push_back(*options.env + "=" + *content);
    if (options.target.empty()) return;
    spec.files.push_back({.target = options.target,
                          .content = *content,
                          .mode = options.mode.value_or(0400),
                          .uid = options.uid.value_or(0),
                          .gid = options.gid.value_or(0)});
  }

  void add_ssh(const dockerfile::Mount& options, sandbox::Spec& spec) const {
    const std::string target = options.target.empty() ? "/run/buildkit/ssh_agent.0" : options.target;
    spec.env.push_back("SSH_AUTH_SOCK=" + target);
    for (const auto& given : workshop_.request.ssh) {
      if (given.id != options.id) continue;
      throw util::Error("RUN --mount=type=ssh is not served by the native engine; use ENGINE=buildkit");
    }
    if (options.required) throw util::Error("no SSH key \"\" forwarded from the client");
  }

  const plan::Run& op_;
  const Inputs& inputs_;
  Workshop& workshop_;
  std::vector<std::unique_ptr<snapshot::Workspace>> mounted_;
};

}  // namespace

Filesystem run(const plan::Run& op, const Inputs& inputs, Workshop& workshop,
               engine::Progress::Vertex& vertex) {
  return RunOp(op, inputs, workshop).run(vertex);
}

}  // namespace solver
