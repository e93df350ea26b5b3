// As the client does it: links are followed first, and what comes out of that are patterns.
#include "common/solver/sent_files.hpp"

#include <algorithm>
#include <mutex>
#include <set>

#include "common/context/ignore.hpp"
#include "common/context/pattern.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

// The patterns that sources stand for: each itself, and each that a link on its way leads to. A name with
// wildcards in it is a pattern also where it is the target of a link.
class Followed {
public:
  explicit Followed(SourceTree& tree) : tree_(tree) {}

  void add(const std::string& source) {
    std::string at;
    auto rest = util::split(sys::clean_path(source), '/');
    while (!rest.empty()) {
      const std::string directory = at;
      at += (at.empty() ? "" : "/") + rest.front();
      const auto targets = targets_of(directory, rest.front(), at);
      rest.erase(rest.begin());
      if (targets.empty() && !rest.empty()) continue;
      if (!patterns_.insert(at).second) return;
      for (const auto& target : targets)
        add(target + "/" + util::join(rest, "/"));
      return;
    }
  }

  std::vector<std::string> patterns() const { return {patterns_.begin(), patterns_.end()}; }

private:
  std::vector<std::string> targets_of(const std::string& directory, const std::string& name,
                                      const std::string& path) {
    if (!context::has_wildcards(name)) return target_of(directory, path);
    std::vector<std::string> targets;
    const auto status = tree_.status(directory);
    if (!status || !S_ISDIR(status->st_mode)) return {};
    for (const auto& entry : tree_.list(directory)) {
      if (!context::matches_glob(name, entry)) continue;
      const auto found = target_of(directory, entry_path(directory, entry));
      targets.insert(targets.end(), found.begin(), found.end());
    }
    return targets;
  }

  std::vector<std::string> target_of(const std::string& directory, const std::string& path) {
    const auto status = tree_.status(path);
    if (!status || !S_ISLNK(status->st_mode)) return {};
    const auto target = tree_.read_link(path);
    return {sys::clean_path(target.starts_with('/') ? target : directory + "/" + target)};
  }

  SourceTree& tree_;
  std::set<std::string> patterns_;
};

class SentFiles : public SourceTree {
public:
  SentFiles(std::shared_ptr<SourceTree> tree, std::vector<std::string> sources)
      : tree_(std::move(tree)), sources_(std::move(sources)) {}

  std::optional<struct stat> status(const std::string& path) override {
    auto status = tree_->status(path);
    return status && is_sent(path, *status) ? status : std::nullopt;
  }

  std::vector<std::string> list(const std::string& path) override {
    auto names = tree_->list(path);
    std::erase_if(names, [&](const auto& name) { return !status(entry_path(path, name)); });
    return names;
  }
  std::string read_link(const std::string& path) override { return tree_->read_link(path); }
  sys::UniqueFd open(const std::string& path) override { return tree_->open(path); }
  hash::Digest digest(const std::string& path) override { return tree_->digest(path); }
  std::map<std::string, std::string> xattrs(const std::string& path) override { return tree_->xattrs(path); }

  std::optional<std::uint64_t> size(const std::string& path) override {
    const auto status = tree_->status(path);
    if (!status) return std::nullopt;
    std::call_once(once_, [&] { find_patterns(); });
    return size_of(path, *status, patterns_.matches_above(path));
  }

private:
  std::optional<std::uint64_t> size_of(const std::string& path, const struct stat& status,
                                       const context::Ignore::Matches& above) {
    const auto verdict = path.empty() ? context::Ignore::Verdict() : patterns_.judge(path, above);
    if (is_all_ || verdict.ignored) return tree_->size(path);
    std::uint64_t size = 0;
    if (!S_ISDIR(status.st_mode) || !may_hold_more(path)) return size;
    for (const auto& name : tree_->list(path)) {
      const auto entry = entry_path(path, name);
      const auto part = size_of(entry, tree_->status(entry).value(), verdict.matches);
      if (!part) return std::nullopt;
      size += *part;
    }
    return size;
  }

  // Whether some pattern goes on below this directory.
  bool may_hold_more(const std::string& directory) const {
    const auto names = util::split(directory, '/');
    return std::any_of(components_.begin(), components_.end(), [&](const auto& pattern) {
      for (std::size_t i = 0; i < names.size() && !directory.empty(); ++i) {
        if (i < pattern.size() && pattern[i] == "**") return true;
        if (i >= pattern.size() || !context::matches_glob(pattern[i], names[i])) return false;
      }
      return true;
    });
  }

  bool is_sent(const std::string& path, const struct stat& status) {
    std::call_once(once_, [&] { find_patterns(); });
    if (is_all_ || path.empty()) return true;
    return is_any_sent(path, status, patterns_.matches_above(path));
  }

  bool is_any_sent(const std::string& path, const struct stat& status,
                   const context::Ignore::Matches& above) {
    const auto verdict = patterns_.judge(path, above);
    if (verdict.ignored) return true;
    if (!S_ISDIR(status.st_mode) || !may_hold_more(path)) return false;
    const auto names = tree_->list(path);
    return std::any_of(names.begin(), names.end(), [&](const auto& name) {
      const auto entry = entry_path(path, name);
      return is_any_sent(entry, tree_->status(entry).value(), verdict.matches);
    });
  }

  void find_patterns() {
    Followed followed(*tree_);
    for (const auto& source : sources_) {
      if (source.empty()) is_all_ = true;
      followed.add(source);
    }
    auto patterns = followed.patterns();
    is_all_ = is_all_ || patterns.empty() || patterns.front().empty();
    if (is_all_) return;
    for (const auto& pattern : patterns)
      components_.push_back(util::split(pattern, '/'));
    patterns_ = context::Ignore::from_patterns(patterns);
  }

  const std::shared_ptr<SourceTree> tree_;
  const std::vector<std::string> sources_;
  std::once_flag once_;
  bool is_all_ = false;
  context::Ignore patterns_;                          // "ignored" is what matches
  std::vector<std::vector<std::string>> components_;  // of the patterns
};

}  // namespace

std::vector<std::string> sources_in(const std::vector<plan::Op>& ops, plan::OpId local) {
  const auto* context = std::get_if<plan::Local>(&ops[local].action);
  const bool is_main = context != nullptr && !context->dockerfile.empty();
  std::vector<std::string> sources;
  for (const auto& op : ops) {
    if (const auto* copy = std::get_if<plan::Copy>(&op.action)) {
      for (const auto& source : copy->sources) {
        if (source.from == local) sources.push_back(sys::clean_path(source.path));
      }
    } else if (const auto* run = std::get_if<plan::Run>(&op.action)) {
      for (const auto& mount : run->mounts) {
        // A mount of memory counts as one of the context, whatever comes of that.
        const bool is_memory =
            is_main && mount.options.type == dockerfile::MountType::tmpfs && mount.options.from.empty();
        if (mount.from == local || is_memory) sources.push_back(sys::clean_path(mount.options.source));
      }
    }
  }
  return sources;
}

std::unique_ptr<SourceTree> sent_files(std::shared_ptr<SourceTree> tree, std::vector<std::string> sources) {
  return std::make_unique<SentFiles>(std::move(tree), std::move(sources));
}

}  // namespace solver
