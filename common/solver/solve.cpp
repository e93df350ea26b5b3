// From ops to tasks.
#include "common/solver/solve.hpp"

#include <fcntl.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "common/context/ignore.hpp"
#include "common/context/tree.hpp"
#include "common/engine/progress.hpp"
#include "common/solver/draft.hpp"
#include "common/solver/fetch_op.hpp"
#include "common/solver/file_ops.hpp"
#include "common/solver/git_op.hpp"
#include "common/solver/run_op.hpp"
#include "common/solver/tasks.hpp"
#include "common/util/error.hpp"
#include "common/util/full_disk.hpp"
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
    steps_left_ = needed_.size();
    layers_left_ = layers.size();
    std::vector<Task> tasks;
    std::map<plan::OpId, std::size_t> task_of;
    for (const plan::OpId id : needed_) {
      for (const plan::OpId input : plan::inputs(graph_.ops[id]))
        read_.insert(input);
    }
    for (const plan::OpId id : needed_) {  // inputs have smaller ids, so they are there already
      Task task{.work =
                    [this, id] {
                      carry_out(id);
                      if (--steps_left_ == 0) show_packing();
                    },
                .needs = {}};
      for (const plan::OpId input : plan::inputs(graph_.ops[id]))
        task.needs.push_back(task_of.at(input));
      task_of[id] = tasks.size();
      tasks.push_back(std::move(task));
      if (layers.count(id) > 0)
        tasks.push_back({.work = [this, id] { pack_shown(id); }, .needs = {task_of[id]}});
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
      // What an image is and what an ignore file says is shown apart, and takes its own time.
      if (const auto* pull = std::get_if<plan::Pull>(&op.action))
        workshop_.images.look_up(pull->reference, pull->platform);
      if (const auto* local = std::get_if<plan::Local>(&op.action)) load_ignore(id, *local);
      vertex.start();
      started = true;
      auto result = execute(id, inputs, &vertex);
      reused = result.reused;
      keep(id, std::move(result));
    } catch (const util::Error& error) {
      if (is_stopped(error, started ? &vertex : nullptr)) throw;
      if (started) vertex.failed(dockerfile::harmless(error.what()));
      if (op.location == dockerfile::Location{}) throw;
      throw_located(op, error);
    }
    reused ? vertex.cached() : vertex.done();
    if (std::holds_alternative<plan::Local>(op.action)) require_files_of(id, *result_of(id).local);
  }

  static bool is_by_disk(const util::Error& error) {
    return util::is_full_disk(error) || error.cause().code == std::errc::io_error;
  }

  // True if the work ended because others did, or by a signal, and `vertex` is left to be called canceled.
  // Where a disk is the reason it is one for all that ends at that time.
  bool is_stopped(const util::Error& error, engine::Progress::Vertex* vertex) {
    const std::lock_guard lock(mutex_);
    if (!error.is_cancelled() && is_by_disk(error) && !disk_failure_) {
      disk_failure_ = dockerfile::harmless(error.what());
      return false;
    }
    if (!error.is_cancelled() && !workshop_.cancel.requested()) return false;
    if (disk_failure_ && vertex != nullptr) vertex->failed("stopped: " + *disk_failure_);
    return true;
  }

  void load_ignore(plan::OpId id, const plan::Local& local) {
    engine::Progress::Vertex vertex(
        workshop_.progress, local.dockerfile.empty() ? "[context " + local.name + "] load .dockerignore"
                                                     : "[internal] load .dockerignore");
    vertex.start();
    auto ignore = context::load_ignore(local.directory, local.dockerfile);
    vertex.done();
    const std::lock_guard lock(mutex_);
    ignores_.insert_or_assign(id, std::move(ignore));
  }

  Filesystem open_local(plan::OpId id, const plan::Local& local, engine::Progress::Vertex& vertex) {
    auto ignore = [&] {
      const std::lock_guard lock(mutex_);
      return std::move(ignores_.at(id));
    }();
    auto files = std::make_shared<context::Tree>(local.directory, std::move(ignore));
    std::shared_ptr<SourceTree> tree = context_source(std::move(files));
    if (const auto size = tree->size())
      vertex.note("transferring context: " + engine::decimal_size(*size) + " done");
    return {.stack = {}, .local = LocalFiles{local.name, std::move(tree)}};
  }

  [[noreturn]] void throw_located(const plan::Op& op, const util::Error& error) const {
    const auto* fault = dynamic_cast<const dockerfile::SyntaxError*>(&error);
    throw util::Error(
        graph_.source.describe(op.location, error.what(), fault != nullptr ? fault->near() : std::string()),
        error.exit_code(), error.cause());
  }

  // What is not in a context fails the build before steps have run for minutes. Of several the last is named,
  // as BuildKit does most of the time: it looks from the end for what it has to do.
  void require_files_of(plan::OpId local, const LocalFiles& files) {
    for (auto id = needed_.rbegin(); id != needed_.rend(); ++id) {
      const auto& op = graph_.ops[*id];
      try {
        if (const auto* copy = std::get_if<plan::Copy>(&op.action))
          require_sources(*copy, local, files, workshop_.cancel);
        if (const auto* run = std::get_if<plan::Run>(&op.action)) require_sources(*run, local, files);
      } catch (const util::Error& error) {
        if (is_stopped(error, nullptr)) throw;
        engine::Progress::Vertex vertex(workshop_.progress, op.title);
        vertex.start();
        vertex.failed(dockerfile::harmless(error.what()));
        throw_located(op, error);
      }
    }
  }

  void keep(plan::OpId id, Filesystem result) {
    const std::lock_guard lock(mutex_);
    results_[id] = std::move(result);
    created_[id] = std::chrono::system_clock::now();
  }

  Filesystem execute(plan::OpId id, const Inputs& inputs, engine::Progress::Vertex* vertex) {
    struct Visitor {
      Solve& solve;
      plan::OpId id;
      const Inputs& inputs;
      Workshop& workshop;
      Form form;
      engine::Progress::Vertex* vertex;

      Filesystem operator()(const plan::Scratch&) const { return {}; }
      Filesystem operator()(const plan::Pull& pull) const {
        auto tree = workshop.images.tree(pull.reference, pull.platform, *vertex);
        return {.stack = {{std::move(tree.root)}}, .local = std::nullopt, .reused = tree.was_there};
      }
      Filesystem operator()(const plan::Local& local) const { return solve.open_local(id, local, *vertex); }
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
    return std::visit(Visitor{*this, id, inputs, workshop_, form, vertex}, graph_.ops[id].action);
  }

  void fetch_base(plan::OpId id) {
    const auto& pull = std::get<plan::Pull>(graph_.ops[id].action);
    workshop_.images.fetch(pull.reference, pull.platform);
  }

  // Layers are packed while steps run, and shown when nothing else is: what the build waits for then.
  void show_packing() {
    const std::lock_guard lock(mutex_);
    if (packing_ || (layers_left_ == 0 && packed_.empty())) return;
    packing_.emplace(workshop_.progress, "exporting layers");
    packing_->start();
    for (const auto& line : std::exchange(packed_, {}))
      packing_->note(line);
    if (layers_left_ == 0) packing_->done();
  }

  void pack_shown(plan::OpId id) {
    const auto begin = std::chrono::steady_clock::now();
    try {
      pack(id);
    } catch (const util::Error& error) {
      if (is_stopped(error, nullptr)) throw;
      const std::lock_guard lock(mutex_);
      if (std::exchange(packing_failed_, true)) throw;
      if (!packing_) packing_.emplace(workshop_.progress, "exporting layers");
      packing_->failed(dockerfile::harmless(error.what()));
      throw;
    }
    const auto time = std::chrono::steady_clock::now() - begin;
    const std::lock_guard lock(mutex_);
    const auto& blob = layers_.at(id).packed.blob;
    const std::string line = "exporting layer " + blob.digest.str() + " " + engine::decimal_size(blob.size) +
                             " " + engine::shown_time(time) + " done";
    --layers_left_;
    if (!packing_) {
      packed_.push_back(line);
    } else {
      packing_->note(line);
      if (layers_left_ == 0) packing_->done();
    }
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
  std::map<plan::OpId, context::Ignore> ignores_;                        // the same, of contexts
  std::map<plan::OpId, std::chrono::system_clock::time_point> created_;  // the same
  BuiltLayers layers_;                                                   // the same
  std::atomic<std::size_t> steps_left_ = 0;
  std::size_t layers_left_ = 0;      // to pack; guarded by mutex_, as what follows
  std::vector<std::string> packed_;  // what is to be said of those that are
  std::optional<engine::Progress::Vertex> packing_;
  bool packing_failed_ = false;
  std::optional<std::string> disk_failure_;  // what a disk ended first
};

}  // namespace

BuiltLayers solve(const plan::Graph& graph, const std::vector<bool>& is_exported,
                  const layer::PackOptions& pack, Workshop& workshop) {
  return Solve(graph, pack, workshop).run(is_exported);
}

}  // namespace solver
