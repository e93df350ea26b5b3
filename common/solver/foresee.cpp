// What a build would do, told by the first of its phases alone.
#include <utility>
#include <variant>

#include "common/dockerfile/remote.hpp"
#include "common/solver/solving.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

// What shows the files of an op that need not be made: a step that was found, of this number, or a source.
std::string look_at(const plan::Op& op, std::optional<std::size_t> number) {
  if (const auto* http = std::get_if<plan::Http>(&op.action)) return util::escape(http->url) + " is fetched";
  if (const auto* git = std::get_if<plan::Git>(&op.action))
    return util::escape(dockerfile::without_login(git->remote)) + " is fetched";
  const auto* pull = std::get_if<plan::Pull>(&op.action);
  return "the files of " + (pull != nullptr ? pull->reference : "#" + std::to_string(*number)) +
         " are looked at";
}

}  // namespace

std::vector<Forecast> Solve::foresee() {
  only_looks_ = true;
  for (const auto& target : graph_.targets) {
    for (const auto& image : target.images)
      find_needed_of(image);
  }
  require_entitlements_of_all();
  for (const plan::OpId id : needed_) {
    if (!graph_.ops[id].title.empty()) display_.announce(graph_.ops[id]);
    task(id, Phase::resolve);
  }
  schedule_.run();
  std::map<plan::OpId, std::size_t> numbers;
  std::vector<Forecast> all;
  for (const plan::OpId id : needed_) {
    if (!base_of(graph_.ops[id])) continue;
    all.push_back(forecast(id, numbers, all));
    numbers[id] = all.size();
  }
  return all;
}

bool Solve::is_out_of_sight(plan::OpId id) const {
  const auto& action = nodes_[id].op.action;
  return !std::holds_alternative<plan::Local>(action) && !std::holds_alternative<plan::Fetched>(action) &&
         !std::holds_alternative<plan::MakeFile>(action) && !std::holds_alternative<plan::Scratch>(action);
}

Forecast Solve::forecast(plan::OpId id, const std::map<plan::OpId, std::size_t>& numbers,
                         const std::vector<Forecast>& below) const {
  const auto& node = nodes_[id];
  Forecast forecast{.title = node.op.title};
  if (node.found) return forecast;
  forecast.outcome = Forecast::Outcome::made;
  forecast.reason = node.reason;
  if (workshop_.cache == nullptr) forecast.reason = "there is no cache";
  if (!forecast.reason.empty()) return forecast;
  // Not looked up: for what is below it, or for what it reads.
  const bool follows = !nodes_[*base_of(node.op)].chain && !is_independent(node.op);
  const auto cause = not_found_below(follows ? *base_of(node.op) : *node.awaits);
  if (const auto number = numbers.find(cause); number != numbers.end()) {
    const auto& reason = below[number->second - 1];
    const auto name = "#" + std::to_string(number->second);
    if (reason.outcome == Forecast::Outcome::unknown) {
      forecast.outcome = reason.outcome;
      forecast.reason = reason.reason;
      forecast.after = reason.after;
      return forecast;
    }
    forecast.after = number->second;
    forecast.reason = (follows ? "follows " + name : "until " + name + " has run");
    if (!follows) forecast.outcome = Forecast::Outcome::unknown;
    return forecast;
  }
  forecast.outcome = Forecast::Outcome::unknown;
  if (const auto number = numbers.find(*node.awaits); number != numbers.end())
    forecast.after = number->second;
  forecast.reason = "until " + look_at(nodes_[*node.awaits].op, forecast.after);
  return forecast;
}

std::vector<Forecast> foresee(const plan::Graph& graph, Workshop& workshop) {
  return Solve(graph, {}, workshop).foresee();
}

}  // namespace solver
