// How solve() goes about its work: each op has up to six tasks, made when somebody asks for their outcome.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/context/ignore.hpp"
#include "common/solver/node.hpp"
#include "common/solver/op_display.hpp"
#include "common/solver/packing.hpp"
#include "common/solver/schedule.hpp"
#include "common/solver/solve.hpp"

namespace solver {

// Carries out one plan, once. What it does for itself stands in solve.cpp, what it does for an op in
// phases.cpp.
class Solve {
  static constexpr std::size_t max_threads = 16;

public:
  Solve(const plan::Graph& graph, const layer::PackOptions& pack, Workshop& workshop)
      : graph_(graph),
        workshop_(workshop),
        display_(graph, workshop.progress, workshop.cancel),
        packing_(pack, workshop.trees, workshop.cache, workshop.cancel),
        packing_progress_(workshop.progress),
        schedule_(max_threads, workshop.canceller) {
    for (const auto& op : graph.ops)
      nodes_.emplace_back(op);
  }

  Solution run(const std::vector<bool>& is_exported, const std::vector<plan::OpId>& beside);
  // In place of that: looks up all steps, and makes nothing but what stands in the Dockerfile.
  std::vector<Forecast> foresee();

private:
  using Needs = std::vector<Schedule::Task>;

  Pins pins() const;
  void keep_seals();
  void find_needed_of(const plan::ImageRecipe& image);
  void find_needed(plan::OpId id);
  void require_entitlements_of_all();
  static std::size_t order_of(plan::OpId id, Phase phase);
  // What is shown, before the rest is.
  static bool is_work(Phase phase);
  // The one that does this, made when it is first asked for.
  Schedule::Task task(plan::OpId id, Phase phase);
  // Adds the task to `needs` if it is not done.
  void need(plan::OpId id, Phase phase, Needs& needs);
  Needs advance(plan::OpId id, Phase phase);
  Needs carry_on(plan::OpId id, Phase phase);
  // Adds what is missing until filesystem() can tell.
  void need_filesystem(plan::OpId id, Needs& needs);
  Filesystem filesystem(plan::OpId id) const;
  Inputs inputs_of(const plan::Op& op) const;
  Needs resolve(plan::OpId id);
  void look_up(Node& node, const plan::Pull& pull);
  void look_up(Node& node, const plan::Git& git);
  // A layer is looked up by what it would be made of.
  Needs resolve_step(plan::OpId id);
  // The next thing that the step reads of elsewhere: known by the layers that it is in, or looked at.
  void add_read(Node& node, const WantedRead& wanted, Needs& needs);
  std::optional<Read> known_read(const Node& node, const WantedRead& wanted, const hash::Digest& selection);
  void keep_image_of(const Node& node, const hash::Digest& chain);
  void open_local(plan::OpId id, const plan::Local& local);
  context::Ignore load_ignore(const plan::Local& local);
  Needs make(plan::OpId id);
  void carry_out(Node& node);
  // Why it was not found; of what was not even looked up the step below is the reason.
  std::string reason_of(const Node& node) const;
  // The uppermost op at or below this one of its stage that was not found; the one that all stands on where
  // all was.
  plan::OpId not_found_below(plan::OpId id) const;
  // True where nobody can tell what is in it before something was made, unpacked or fetched.
  bool is_out_of_sight(plan::OpId id) const;
  // `below` has those of all steps with smaller ids, `numbers` what they are called.
  Forecast forecast(plan::OpId id, const std::map<plan::OpId, std::size_t>& numbers,
                    const std::vector<Forecast>& below) const;
  // Where nobody asks for the layer of an op, only for its having been made once.
  Needs settle(plan::OpId id);
  Needs pack(plan::OpId id);
  // Once the layers are known that it and what it reads stand on.
  Needs keep(plan::OpId id);
  // Of the layers up to the op, once it was kept if it is a step.
  std::optional<hash::Digest> chain_of(plan::OpId id) const;
  void keep_step(Node& node, const std::optional<hash::Digest>& base);
  Needs give(plan::OpId id);
  Needs fetch_base(plan::OpId id);
  // Without a cache: whether somebody needs the files of it.
  bool is_to_be_made(plan::OpId id) const;
  // What was not carried out because it was not necessary, after all that it stands on.
  void show_cached(plan::OpId id);
  // What is not in a context fails the build at once. Of several the last is named, as BuildKit does most of
  // the time: it looks from the end for what it has to do.
  void require_files_of(plan::OpId local, const LocalFiles& files);

  const plan::Graph& graph_;
  Workshop& workshop_;
  OpDisplay display_;
  Packing packing_;
  PackingProgress packing_progress_;
  std::deque<Node> nodes_;  // by op; the task of a phase writes what later ones read
  std::set<plan::OpId> needed_;
  std::set<plan::OpId> tops_;  // whose layers are in images
  bool only_looks_ = false;
  std::mutex mutex_;
  BuiltLayers layers_;          // guarded by mutex_, as what follows and the tasks of nodes
  std::size_t steps_left_ = 0;  // that are to be resolved or made
  Schedule schedule_;
};

}  // namespace solver
