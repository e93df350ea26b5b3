// What an op reads, and what it is called.
#include "common/plan/op.hpp"

#include <variant>

#include "common/util/text.hpp"

namespace plan {

std::vector<OpId> inputs(const Op& op) {
  struct Visitor {
    std::vector<OpId> operator()(const Scratch&) const { return {}; }
    std::vector<OpId> operator()(const Pull&) const { return {}; }
    std::vector<OpId> operator()(const Local&) const { return {}; }
    std::vector<OpId> operator()(const MakeFile&) const { return {}; }
    std::vector<OpId> operator()(const Fetched&) const { return {}; }
    std::vector<OpId> operator()(const Http&) const { return {}; }
    std::vector<OpId> operator()(const Git&) const { return {}; }
    std::vector<OpId> operator()(const MakeDirectory& action) const { return {action.base}; }
    std::vector<OpId> operator()(const Copy& copy) const {
      std::vector<OpId> ids = {copy.base};
      for (const auto& source : copy.sources)
        ids.push_back(source.from);
      return ids;
    }
    std::vector<OpId> operator()(const Run& run) const {
      std::vector<OpId> ids = {run.root};
      for (const auto& mount : run.mounts) {
        if (mount.from) ids.push_back(*mount.from);
      }
      return ids;
    }
  };
  return std::visit(Visitor{}, op.action);
}

std::string description(const Op& op) {
  const auto* run = std::get_if<Run>(&op.action);
  return run != nullptr ? "mount / from exec " + util::join(run->arguments, " ") : op.title;
}

}  // namespace plan
