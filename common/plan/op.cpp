// What an op reads.
#include "common/plan/op.hpp"

#include <variant>

namespace plan {

std::vector<OpId> inputs(const Op& op) {
  struct Visitor {
    std::vector<OpId> operator()(const Scratch&) const { return {}; }
    std::vector<OpId> operator()(const Pull&) const { return {}; }
    std::vector<OpId> operator()(const Local&) const { return {}; }
    std::vector<OpId> operator()(const MakeFile&) const { return {}; }
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

}  // namespace plan
