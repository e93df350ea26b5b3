// How the work of ops is shown, and their failures.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/engine/progress.hpp"
#include "common/plan/graph.hpp"
#include "common/sys/cancellation.hpp"
#include "common/util/error.hpp"

namespace solver {

// Thread-safe.
class OpDisplay {
public:
  // `cancel` says when the build is to end.
  OpDisplay(const plan::Graph& graph, engine::Progress& progress, sys::Cancellation cancel)
      : graph_(graph), progress_(progress), cancel_(std::move(cancel)) {}

  // `begin` starts the time of the work. True if there was nothing to do.
  using Work = std::function<bool(engine::Progress::Vertex& vertex, const std::function<void()>& begin)>;

  // Does it under the op's title, and gives what progress calls that. A failure leaves with the lines of the
  // Dockerfile around it.
  std::string work(const plan::Op& op, const Work& work);

  // The same for what has no title of its own.
  void located(const plan::Op& op, const std::function<void()>& work);

  // A failure that is found before the op is carried out: shown as if it had been. `output` is what a program
  // said until then.
  [[noreturn]] void fail(const plan::Op& op, const util::Error& error, std::string_view output = {});

  void cached(const plan::Op& op);

  // Tells the screen of the op before it is carried out, if it ever is.
  void announce(const plan::Op& op);

  // True if the work ended because others did, or by a signal, and `vertex` is left to be called cancelled.
  // Where a disk is the reason it is one for all that ends at that time.
  bool is_stopped(const util::Error& error, engine::Progress::Vertex* vertex = nullptr);

private:
  // What a screen knows an op by, and those below it that have a title.
  std::string digest_of(plan::OpId id) const;
  engine::Progress::Place place_of(const plan::Op& op) const;
  [[noreturn]] void throw_located(const plan::Op& op, const util::Error& error) const;

  const plan::Graph& graph_;
  engine::Progress& progress_;
  const sys::Cancellation cancel_;
  std::mutex mutex_;
  std::optional<std::string> disk_failure_;  // what a disk ended first; guarded by mutex_
};

}  // namespace solver
