// Instructions to ops.
#include "common/plan/stage_lowering.hpp"

#include <algorithm>

#include "common/dockerfile/paths.hpp"
#include "common/dockerfile/remote.hpp"
#include "common/image/members.hpp"
#include "common/plan/ops.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace plan {
namespace {

using namespace dockerfile;

class Lowering {
public:
  Lowering(const Step& step, const StageState& state, PlanBuilder& plan, bool no_cache, StageResult& stage)
      : step_(step), state_(state), plan_(plan), no_cache_(no_cache), stage_(stage) {}

  void operator()(const dockerfile::Add& add) {
    auto copy = start_copy(add.transfer);
    const std::string shown = title();
    for (const auto& source : add.transfer.sources) {
      const auto remote = parse_remote(source);
      if (const auto* git = std::get_if<GitSource>(&remote)) {
        add_remote(copy, {.action = git_of(*git, add), .title = shown, .ignore_cache = no_cache_}, "/");
      } else if (const auto* url = std::get_if<UrlSource>(&remote)) {
        const Http http{.url = url->url, .file_name = url->file_name, .checksum = checksum(add)};
        add_remote(copy, {.action = http, .title = shown, .ignore_cache = no_cache_}, "/" + http.file_name);
        copy.sources.back().unpack_archives = add.unpack.value_or(false);
      } else {
        copy.sources.push_back({.from = plan_.context(), .path = source});
        copy.sources.back().unpack_archives = add.unpack.value_or(true);
      }
    }
    finish_copy(std::move(copy), add.transfer, shown);
  }

  void operator()(const dockerfile::Copy& instruction) {
    auto copy = start_copy(instruction.transfer);
    copy.parents = instruction.parents;
    if (!instruction.transfer.sources.empty()) {
      const OpId from = instruction.from.empty() ? plan_.context() : plan_.copy_from(instruction.from);
      for (const auto& source : instruction.transfer.sources)
        copy.sources.push_back({.from = from, .path = source});
    }
    finish_copy(std::move(copy), instruction.transfer, title());
  }

  void operator()(const dockerfile::Run& instruction) {
    Run run;
    run.hostname = plan_.hostname();
    run.root = stage_.filesystem;
    run.arguments = step_.execution->arguments;
    if (run.arguments.empty()) throw SyntaxError("failed to marshal LLB definition: arguments are required");
    run.script = step_.execution->script;
    for (const auto& variable : state_.environment.variables()) {
      run.environment.push_back(variable.name + "=" + variable.value);
      plan_.budget().spend(run.environment.back().size() + sizeof(std::string));
    }
    run.working_dir = state_.working_dir.empty() ? "/" : state_.working_dir;
    run.user = stage_.config.user;
    for (const auto& options : instruction.mounts)
      run.mounts.push_back(mount(options));
    run.network = instruction.network;
    run.security = instruction.security;
    run.platform = stage_.platform;
    put_layer({.action = std::move(run), .title = title(), .ignore_cache = no_cache_});
  }

  void operator()(const dockerfile::Workdir& workdir) {
    stage_.config.working_dir = workdir.path;
    if (workdir.path == "/") return put_history();
    const MakeDirectory action{
        .base = stage_.filesystem, .path = clean_path(workdir.path), .user = stage_.config.user};
    // Cached even with no-cache.
    put_layer({.action = action, .title = title()});
  }

  void operator()(const dockerfile::Env&) { put_history(); }

  void operator()(const dockerfile::Cmd&) {
    stage_.config.cmd = step_.execution->arguments;
    stage_.config.args_escaped = true;
    stage_.cmd_set = true;
    put_history();
  }

  void operator()(const dockerfile::Entrypoint&) {
    stage_.config.entrypoint = step_.execution->arguments;
    if (!stage_.cmd_set) stage_.config.cmd.clear();
    put_history();
  }

  void operator()(const dockerfile::Label& label) {
    for (const auto& pair : label.pairs)
      stage_.config.labels[pair.name] = pair.value;
    put_history();
  }

  void operator()(const dockerfile::Expose& expose) {
    stage_.config.exposed_ports.insert(expose.ports.begin(), expose.ports.end());
    put_history();
  }

  void operator()(const dockerfile::Volume& volume) {
    stage_.config.volumes.insert(volume.paths.begin(), volume.paths.end());
    put_history();
  }

  void operator()(const dockerfile::Healthcheck& healthcheck) {
    stage_.config.healthcheck = {.test = healthcheck.test,
                                 .interval = healthcheck.interval,
                                 .timeout = healthcheck.timeout,
                                 .start_period = healthcheck.start_period,
                                 .start_interval = healthcheck.start_interval,
                                 .retries = healthcheck.retries};
    put_history();
  }

  void operator()(const dockerfile::Maintainer& maintainer) {
    stage_.config.author = maintainer.name;
    put_history();
  }

  void operator()(const dockerfile::User& user) {
    stage_.config.user = user.user;
    put_history();
  }

  void operator()(const dockerfile::StopSignal& stop_signal) {
    stage_.config.stop_signal = stop_signal.signal;
    put_history();
  }

  void operator()(const dockerfile::Shell& shell) {
    stage_.config.shell = shell.words;
    put_history();
  }

  void operator()(const dockerfile::Onbuild& onbuild) { stage_.config.on_build.push_back(onbuild.trigger); }

  void operator()(const dockerfile::Arg&) { put_history(); }

private:
  std::string title() const { return plan_.title(state_.environment, step_.title); }

  static std::optional<hash::Checksum> checksum(const dockerfile::Add& add) {
    if (add.checksum.empty()) return std::nullopt;
    try {
      return hash::Checksum::parse(add.checksum);
    } catch (const util::Error& error) {
      throw SyntaxError(error.what(), "--checksum");
    }
  }

  static Git git_of(const GitSource& source, const dockerfile::Add& add) {
    auto git = git_op(source);
    if (!add.checksum.empty()) git.checksum = add.checksum;
    git.keep_git_dir = add.keep_git_dir.value_or(git.keep_git_dir);
    return git;
  }

  void put_history() {
    if (step_.history) put_history({.created_by = *step_.history, .layer = std::nullopt});
  }

  // Sums up what certainly stands in the config, so that one that is too large for any reader shows its
  // place.
  void put_history(HistoryEntry entry) {
    constexpr std::uint64_t least_beside = 80;  // keys, times
    stage_.config_size += entry.created_by.size() + least_beside;
    if (stage_.config_size > image::max_document_size) {
      throw SyntaxError("the image's config becomes larger than " +
                        util::human_size(image::max_document_size) +
                        ": use fewer instructions or shorter values");
    }
    stage_.history.push_back(std::move(entry));
  }

  void put_layer(Op op) {
    stage_.filesystem = plan_.add(std::move(op));
    put_history({.created_by = step_.history.value_or(""), .layer = stage_.filesystem});
  }

  Copy start_copy(const Transfer& transfer) const {
    Copy copy;
    copy.base = stage_.filesystem;
    copy.destination = destination(transfer.destination);
    copy.chown = transfer.chown;
    copy.chmod = transfer.chmod;
    copy.excludes = transfer.excludes;
    copy.link = transfer.link && transfer.chmod.empty();  // BuildKit's condition, too
    return copy;
  }

  void add_remote(Copy& copy, Op op, std::string path) {
    copy.sources.push_back({.from = plan_.add(std::move(op)), .path = std::move(path), .wildcards = false});
  }

  // Inline files come after all other sources, whatever the order on the line.
  void finish_copy(Copy copy, const Transfer& transfer, const std::string& title) {
    for (const auto& file : transfer.inline_files) {
      copy.sources.push_back({.from = plan_.inline_file(file), .path = "/" + file.name, .wildcards = false});
    }
    put_layer({.action = std::move(copy), .title = title, .ignore_cache = no_cache_});
  }

  // Absolute; "." and a slash at the end still say "is a directory".
  std::string destination(const std::string& written) const {
    const bool is_directory =
        written.empty() || written.ends_with('/') || written == "." || written.ends_with("/.");
    std::string path = written.starts_with('/')
                           ? clean_path(written)
                           : join_path(state_.working_dir.empty() ? "/" : state_.working_dir, written);
    if (is_directory && !path.ends_with('/')) path += '/';
    return path;
  }

  Run::Mount mount(const dockerfile::Mount& options) {
    Run::Mount mount{.options = options, .from = std::nullopt};
    if (options.type == MountType::cache && !plan_.cache_namespace().empty())
      mount.options.id = plan_.cache_namespace() + "/" + options.id;
    if (!options.from.empty()) {
      mount.from = plan_.mount_from(options.from);
    } else if (options.type == MountType::bind) {
      mount.from = plan_.context();
    }
    return mount;
  }

  const Step& step_;
  const StageState& state_;
  PlanBuilder& plan_;
  bool no_cache_;
  StageResult& stage_;
};

}  // namespace

void lower_step(const Step& step, const StageState& state, PlanBuilder& plan, bool no_cache,
                StageResult& stage) {
  std::visit(Lowering(step, state, plan, no_cache, stage), step.instruction);
}

bool makes_op(const Instruction& instruction) {
  return std::holds_alternative<dockerfile::Add>(instruction) ||
         std::holds_alternative<dockerfile::Copy>(instruction) ||
         std::holds_alternative<dockerfile::Run>(instruction) ||
         std::holds_alternative<dockerfile::Workdir>(instruction);
}

}  // namespace plan
