// Vertices of ops.
#include "common/solver/op_display.hpp"

#include <set>
#include <system_error>

#include "common/dockerfile/source.hpp"
#include "common/hash/sha256.hpp"
#include "common/util/full_disk.hpp"

namespace solver {
namespace {

bool is_by_disk(const util::Error& error) {
  return util::is_full_disk(error) || error.cause().code == std::errc::io_error;
}

}  // namespace

std::string OpDisplay::work(const plan::Op& op, const Work& work) {
  engine::Progress::Vertex vertex(progress_, op.title, place_of(op));
  bool started = false;
  bool was_there = false;
  try {
    was_there = work(vertex, [&] {
      vertex.start();
      started = true;
    });
  } catch (const util::Error& error) {
    if (is_stopped(error, started ? &vertex : nullptr)) throw;
    if (started) vertex.failed(dockerfile::harmless(error.what()));
    if (op.location == dockerfile::Location{}) throw;
    throw_located(op, error);
  }
  was_there ? vertex.cached() : vertex.done();
  return vertex.tag();
}

void OpDisplay::located(const plan::Op& op, const std::function<void()>& work) {
  try {
    work();
  } catch (const util::Error& error) {
    if (is_stopped(error) || op.location == dockerfile::Location{}) throw;
    throw_located(op, error);
  }
}

void OpDisplay::fail(const plan::Op& op, const util::Error& error, std::string_view output) {
  if (is_stopped(error)) throw error;
  engine::Progress::Vertex vertex(progress_, op.title, place_of(op));
  vertex.start();
  vertex.write(output);
  vertex.failed(dockerfile::harmless(error.what()));
  throw_located(op, error);
}

void OpDisplay::cached(const plan::Op& op) {
  engine::Progress::Vertex vertex(progress_, op.title, place_of(op));
  vertex.start();
  vertex.cached();
}

void OpDisplay::announce(const plan::Op& op) {
  progress_.announce(op.title, place_of(op));
}

std::string OpDisplay::digest_of(plan::OpId id) const {
  return hash::sha256("op " + std::to_string(id) + " " + graph_.ops[id].title).str();
}

engine::Progress::Place OpDisplay::place_of(const plan::Op& op) const {
  std::set<plan::OpId> seen;
  engine::Progress::Place place;
  const std::function<void(const plan::Op&)> add_inputs = [&](const plan::Op& of) {
    for (const plan::OpId id : plan::inputs(of)) {
      if (!seen.insert(id).second) continue;
      if (graph_.ops[id].title.empty()) {
        add_inputs(graph_.ops[id]);
      } else {
        place.inputs.push_back(digest_of(id));
      }
    }
  };
  add_inputs(op);
  place.digest = digest_of(static_cast<plan::OpId>(&op - graph_.ops.data()));
  return place;
}

bool OpDisplay::is_stopped(const util::Error& error, engine::Progress::Vertex* vertex) {
  const std::lock_guard lock(mutex_);
  if (!error.is_cancelled() && is_by_disk(error) && !disk_failure_) {
    disk_failure_ = dockerfile::harmless(error.what());
    return false;
  }
  if (!error.is_cancelled() && !cancel_.requested()) return false;
  if (disk_failure_ && vertex != nullptr) vertex->failed("stopped: " + *disk_failure_);
  return true;
}

void OpDisplay::throw_located(const plan::Op& op, const util::Error& error) const {
  const auto* fault = dynamic_cast<const dockerfile::SyntaxError*>(&error);
  throw util::Error(
      graph_.source.describe(op.location, error.what(), fault != nullptr ? fault->near() : std::string()),
      error.exit_code(), error.cause());
}

}  // namespace solver
