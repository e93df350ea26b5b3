// From ops to tasks.
#include "common/solver/solve.hpp"

#include <fcntl.h>

#include <mutex>
#include <set>

#include "common/solver/draft.hpp"
#include "common/solver/fetch_op.hpp"
#include "common/solver/file_ops.hpp"
#include "common/solver/git_op.hpp"
#include "common/solver/run_op.hpp"
#include "common/solver/tasks.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

constexpr std::size_t max_threads = 16;

class Solve {
public:
  Solve(const plan::Graph& graph, const layer::PackOptions& pack, Workshop& workshop)
      : graph_(graph), pack_(pack), workshop_(workshop) {}

  BuiltLayers run(const std::vector<bool>& is_exported) {
    std::set<plan::OpId> layers;
    std::set<plan::OpId> bases;  // whose blobs go into an image
    for (std::size_t i = 0; i < graph_.targets.size(); ++i) {
      for (const auto& image : graph_.targets[i].images) {
        if (is_exported[i] && image.base) bases.insert(*image.base);
        for (const auto& entry : image.history) {
          if (!entry.layer) continue;
          need(*entry.layer);
          if (is_exported[i]) layers.insert(*entry.layer);
        }
      }
    }
    for (const plan::OpId id : needed_) {
      if (const auto* run = std::get_if<plan::Run>(&graph_.ops[id].action))
        dockerfile::located(graph_.source, graph_.ops[id].location,
                            [&] { require_entitlements(*run, workshop_.request); });
    }
    std::vector<Task> tasks;
    std::map<plan::OpId, std::size_t> task_of;
    for (const plan::OpId id : needed_) {
      for (const plan::OpId input : plan::inputs(graph_.ops[id]))
        read_.insert(input);
    }
    for (const plan::OpId id : needed_) {  // inputs have smaller ids, so they are there already
      Task task{.work = [this, id] { carry_out(id); }, .needs = {}};
      for (const plan::OpId input : plan::inputs(graph_.ops[id]))
        task.needs.push_back(task_of.at(input));
      task_of[id] = tasks.size();
      tasks.push_back(std::move(task));
      if (layers.count(id) > 0) tasks.push_back({.work = [this, id] { pack(id); }, .needs = {task_of[id]}});
    }
    for (const plan::OpId id : bases) {
      // Unpacking brings the blobs too, and shows them better.
      const auto unpacked = task_of.find(id);
      Task task{.work = [this, id] { fetch_base(id); }, .needs = {}};
      if (unpacked != task_of.end()) task.needs.push_back(unpacked->second);
      tasks.push_back(std::move(task));
    }
    run_tasks(tasks, max_threads, workshop_.canceller);
    return std::move(layers_);
  }

private:
  void need(plan::OpId id) {
    if (!needed_.insert(id).second) return;
    for (const plan::OpId input : plan::inputs(graph_.ops[id]))
      need(input);
  }

  Filesystem result_of(plan::OpId id) {
    const std::lock_guard lock(mutex_);
    return results_.at(id);
  }

  void carry_out(plan::OpId id) {
    const auto& op = graph_.ops[id];
    Inputs inputs;
    for (const plan::OpId input : plan::inputs(op))
      inputs[input] = result_of(input);
    if (op.title.empty()) return keep(id, execute(id, inputs, nullptr));
    engine::Progress::Vertex vertex(workshop_.progress, op.title);
    bool started = false, reused = false;
    try {
      // What an image is is shown apart, and takes its own time.
      if (const auto* pull = std::get_if<plan::Pull>(&op.action))
        workshop_.images.look_up(pull->reference, pull->platform);
      vertex.start();
      started = true;
      auto result = execute(id, inputs, &vertex);
      reused = result.reused;
      keep(id, std::move(result));
    } catch (const util::Error& error) {
      if (error.is_cancelled() || workshop_.cancel.requested()) throw;
      if (started) vertex.failed(dockerfile::harmless(error.what()));
      const auto* fault = dynamic_cast<const dockerfile::SyntaxError*>(&error);
      throw util::Error(
          graph_.source.describe(op.location, error.what(), fault != nullptr ? fault->near() : std::string()),
          error.exit_code(), error.cause());
    }
    reused ? vertex.cached() : vertex.done();
  }

  void keep(plan::OpId id, Filesystem result) {
    const std::lock_guard lock(mutex_);
    results_[id] = std::move(result);
    created_[id] = std::chrono::system_clock::now();
  }

  Filesystem execute(plan::OpId id, const Inputs& inputs, engine::Progress::Vertex* vertex) {
    struct Visitor {
      const Inputs& inputs;
      Workshop& workshop;
      Form form;
      engine::Progress::Vertex* vertex;

      Filesystem operator()(const plan::Scratch&) const { return {}; }
      Filesystem operator()(const plan::Pull& pull) const {
        auto tree = workshop.images.tree(pull.reference, pull.platform, *vertex);
        return {.stack = {{std::move(tree.root)}}, .local = std::nullopt, .reused = tree.was_there};
      }
      Filesystem operator()(const plan::Local& local) const {
        auto files = std::make_shared<context::Tree>(local.directory,
                                                     context::load_ignore(local.directory, local.dockerfile));
        return {.stack = {}, .local = LocalFiles{local.name, context_source(std::move(files))}};
      }
      Filesystem operator()(const plan::MakeFile& file) const { return make_file(file, workshop); }
      Filesystem operator()(const plan::Http& http) const { return fetch(http, workshop); }
      Filesystem operator()(const plan::Git& git) const { return check_out(git, workshop, *vertex); }
      Filesystem operator()(const plan::Copy& action) const { return copy(action, inputs, workshop, form); }
      Filesystem operator()(const plan::MakeDirectory& action) const {
        return make_directory(action, inputs, workshop);
      }
      Filesystem operator()(const plan::Run& action) const {
        return solver::run(action, inputs, workshop, *vertex);
      }
    };
    const auto form = read_.count(id) > 0 ? Form::tree : Form::layer;
    return std::visit(Visitor{inputs, workshop_, form, vertex}, graph_.ops[id].action);
  }

  void fetch_base(plan::OpId id) {
    const auto& pull = std::get<plan::Pull>(graph_.ops[id].action);
    workshop_.images.fetch(pull.reference, pull.platform);
  }

  void pack(plan::OpId id) {
    auto filesystem = result_of(id);
    const auto open_directory = [](const std::filesystem::path& path) {
      sys::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!fd) util::throw_errno("cannot open " + util::quote(path.string()));
      return fd;
    };
    sys::UniqueFd upper_fd;
    std::shared_ptr<const layer::ChangeSet> upper = filesystem.draft;
    if (!upper) {
      upper_fd = open_directory(filesystem.stack.trees.back());
      filesystem.stack.trees.pop_back();
      upper = layer::directory_changes(upper_fd.get());
    }
    std::unique_ptr<snapshot::Workspace> below;
    sys::UniqueFd lower_fd;
    std::unique_ptr<layer::ChangeSet> lower;
    if (!filesystem.independent && !filesystem.stack.trees.empty()) {
      below = workshop_.snapshotter.open_read_only(filesystem.stack);
      lower_fd = open_directory(below->root());
      lower = layer::directory_changes(lower_fd.get());
    }
    const auto file = workshop_.directory / ("layer-" + std::to_string(id));
    sys::UniqueFd blob(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!blob) util::throw_errno("cannot create " + util::quote(file.string()));
    auto packed =
        layer::pack(*upper, lower.get(), {blob.get(), util::quote(file.string())}, pack_, workshop_.cancel);
    sys::close_checked(std::move(blob), util::quote(file.string()));
    const std::lock_guard lock(mutex_);
    layers_.emplace(id, BuiltLayer{.packed = std::move(packed),
                                   .file = file,
                                   .created = created_.at(id),
                                   .description = plan::description(graph_.ops[id])});
  }

  const plan::Graph& graph_;
  const layer::PackOptions& pack_;
  Workshop& workshop_;
  std::set<plan::OpId> needed_;
  std::set<plan::OpId> read_;  // by other ops
  std::mutex mutex_;
  std::map<plan::OpId, Filesystem> results_;                             // guarded by mutex_
  std::map<plan::OpId, std::chrono::system_clock::time_point> created_;  // the same
  BuiltLayers layers_;                                                   // the same
};

}  // namespace

BuiltLayers solve(const plan::Graph& graph, const std::vector<bool>& is_exported,
                  const layer::PackOptions& pack, Workshop& workshop) {
  return Solve(graph, pack, workshop).run(is_exported);
}

}  // namespace solver
