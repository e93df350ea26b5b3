// A lookup goes from the topmost tree down.
#include "common/layer/merged.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string_view>
#include <utility>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace layer {
namespace {

class Merged : public ChangeSet {
public:
  explicit Merged(std::vector<std::unique_ptr<ChangeSet>> trees) : trees_(std::move(trees)) {
    std::reverse(trees_.begin(), trees_.end());
    Level root{.path = "", .trees = {}};
    for (std::size_t tree = 0; tree < trees_.size(); ++tree)
      root.trees.push_back(tree);
    levels_.push_back(std::move(root));
  }

  std::vector<std::string> list(const std::string& directory) const override {
    std::vector<std::string> names;   // that are seen, in order
    std::vector<std::string> hidden;  // by a whiteout further up, in order
    for (const auto tree : level(directory).trees) {
      std::vector<std::string> seen_here;
      std::vector<std::string> hidden_here;
      for (auto& name : trees_[tree]->list(directory)) {
        if (std::binary_search(names.begin(), names.end(), name) ||
            std::binary_search(hidden.begin(), hidden.end(), name))
          continue;
        const auto status = trees_[tree]->status(directory.empty() ? name : directory + "/" + name);
        if (status) (is_whiteout(*status) ? hidden_here : seen_here).push_back(std::move(name));
      }
      add(names, std::move(seen_here));
      add(hidden, std::move(hidden_here));
    }
    return names;
  }

  std::optional<struct stat> status(const std::string& path) const override {
    const auto found = find(path);
    return found.tree == nullptr ? std::nullopt : std::optional(found.status);
  }

  std::string read_link(const std::string& path) const override { return holder(path).read_link(path); }
  std::string capability(const std::string& path) const override { return holder(path).capability(path); }
  bool has_more_attributes(const std::string& path) const override {
    return holder(path).has_more_attributes(path);
  }
  bool is_opaque(const std::string&) const override { return false; }
  sys::UniqueFd open(const std::string& path) const override { return holder(path).open(path); }

private:
  // A directory, and the trees that it is seen in, the topmost first.
  struct Level {
    std::string path;
    std::vector<std::size_t> trees;
  };
  struct Found {
    const ChangeSet* tree = nullptr;
    struct stat status = {};
  };

  static void add(std::vector<std::string>& names, std::vector<std::string> more) {
    const auto middle = static_cast<std::ptrdiff_t>(names.size());
    names.insert(names.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    std::inplace_merge(names.begin(), names.begin() + middle, names.end());
  }

  Found find(const std::string& path) const {
    if (path.empty()) {
      if (trees_.empty()) return {};
      const auto status = trees_.front()->status(path);
      return status ? Found{trees_.front().get(), *status} : Found();
    }
    const auto slash = path.rfind('/');
    for (const auto tree : level(slash == std::string::npos ? "" : path.substr(0, slash)).trees) {
      const auto status = trees_[tree]->status(path);
      if (!status) continue;
      if (is_whiteout(*status)) break;
      return {trees_[tree].get(), *status};
    }
    return {};
  }

  const ChangeSet& holder(const std::string& path) const {
    const auto found = find(path);
    if (found.tree == nullptr) util::throw_errno("cannot find " + util::quote(path), ENOENT);
    return *found.tree;
  }

  // Of the way to the directory that was asked for last what leads to this one stays.
  const Level& level(const std::string& directory) const {
    while (!leads_to(levels_.back().path, directory))
      levels_.pop_back();
    while (levels_.back().path.size() < directory.size()) {
      const auto& above = levels_.back();
      const auto from = above.path.empty() ? 0 : above.path.size() + 1;
      Level next{.path = directory.substr(0, directory.find('/', from)), .trees = {}};
      for (const auto tree : above.trees) {
        const auto status = trees_[tree]->status(next.path);
        if (!status) continue;
        if (!S_ISDIR(status->st_mode)) break;
        next.trees.push_back(tree);
        if (trees_[tree]->is_opaque(next.path)) break;
      }
      levels_.push_back(std::move(next));
    }
    return levels_.back();
  }

  static bool leads_to(std::string_view directory, std::string_view path) {
    return directory.empty() || path == directory ||
           (path.starts_with(directory) && path[directory.size()] == '/');
  }

  std::vector<std::unique_ptr<ChangeSet>> trees_;  // the topmost first
  mutable std::vector<Level> levels_;              // from the root to the directory that was asked for last
};

}  // namespace

std::unique_ptr<ChangeSet> merged(std::vector<std::unique_ptr<ChangeSet>> trees) {
  return std::make_unique<Merged>(std::move(trees));
}

}  // namespace layer
