// What COPY, ADD and WORKDIR do to a filesystem.
#include "common/solver/file_ops.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>

#include "common/dockerfile/paths.hpp"
#include "common/solver/copier.hpp"
#include "common/solver/draft.hpp"
#include "common/solver/unpack_archive.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

Change commit(snapshot::Workspace& workspace, Workshop& workshop) {
  Change change{.tree = workshop.new_tree()};
  workspace.commit(change.tree);
  return change;
}

// Matches of a wildcard, found as Go's filepath.Walk and filepath.Match find them: a directory that matches
// is not looked into.
class Matches {
public:
  Matches(SourceTree& tree, std::string base, std::string pattern, const sys::Cancellation& cancel)
      : tree_(tree),
        base_(std::move(base)),
        pattern_(std::move(pattern)),
        cancel_(cancel),
        // Only a class of characters can match a slash.
        most_components_(pattern_.find('[') != std::string::npos
                             ? SIZE_MAX
                             : static_cast<std::size_t>(std::count(pattern_.begin(), pattern_.end(), '/')) +
                                   1) {}

  std::vector<std::string> find() {
    look_into("", 0);
    return std::move(found_);
  }

private:
  void look_into(const std::string& relative, std::size_t components) {
    const auto directory = relative.empty() ? base_ : base_.empty() ? relative : base_ + "/" + relative;
    for (const auto& name : tree_.list(directory)) {
      cancel_.check();
      const auto path = relative.empty() ? name : relative + "/" + name;
      const auto full = base_.empty() ? path : base_ + "/" + path;
      // It could be in no layer either.
      if (full.size() >= PATH_MAX)
        throw util::Error("lstat /" + util::escape(full, 200) + ": file name too long");
      if (context::matches_glob(pattern_, path)) {
        found_.push_back(full);
      } else if (components + 1 < most_components_) {
        const auto status = tree_.status(full);
        if (status && S_ISDIR(status->st_mode)) look_into(path, components + 1);
      }
    }
  }

  SourceTree& tree_;
  const std::string base_;
  const std::string pattern_;
  const sys::Cancellation cancel_;
  const std::size_t most_components_;
  std::vector<std::string> found_;
};

// The paths that one source of a COPY means.
std::vector<std::string> resolve(SourceTree& tree, const std::string& source, bool wildcards, bool is_context,
                                 const sys::Cancellation& cancel) {
  const std::string path = sys::clean_path(source);
  if (!wildcards || !context::has_wildcards(path)) return {path};
  std::string plain;
  std::string pattern;
  for (const auto& part : util::split(path, '/')) {
    auto& side = pattern.empty() && !context::has_wildcards(part) ? plain : pattern;
    side += (side.empty() ? "" : "/") + part;
  }
  const std::string base = follow(tree, plain);
  const auto status = tree.status(base);
  // Of a context only what may match is sent to BuildKit, so that a file in the place of a directory is not.
  const bool is_directory = status && S_ISDIR(status->st_mode);
  if (!status || (is_context && !is_directory))
    throw util::Error("lstat /" + util::escape(base) + ": no such file or directory");
  if (!is_directory) return {};
  return Matches(tree, base, pattern, cancel).find();
}

[[noreturn]] void throw_not_found(const std::string& path, const std::string& written) {
  throw dockerfile::SyntaxError(not_found(path), written);
}

// True if `excludes` leaves any of what stands at `path` of the tree, called `name` there; `above` is what it
// said of the directory.
bool leaves_any(SourceTree& tree, const std::string& path, const std::string& name,
                const context::Ignore& excludes, const context::Ignore::Matches& above) {
  const auto verdict = excludes.judge(name, above);
  if (!verdict.ignored) return true;
  if (!excludes.has_exceptions()) return false;
  const auto status = tree.status(path);
  if (!status || !S_ISDIR(status->st_mode)) return false;
  const auto entries = tree.list(path);
  return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
    return leaves_any(tree, entry_path(path, entry), entry_path(name, entry), excludes, verdict.matches);
  });
}

// The same for a path of several components.
bool leaves_any(SourceTree& tree, const std::string& path, const std::string& name,
                const context::Ignore& excludes) {
  context::Ignore::Matches above;
  for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1))
    above = excludes.judge(name.substr(0, slash), above).matches;
  return leaves_any(tree, path, name, excludes, above);
}

// The path of what `pattern` names below a directory, where it is there. No link on the way is followed, as
// no pattern matches behind one; it may itself be one that leads nowhere.
std::optional<std::string> as_written(SourceTree& tree, std::string path, const std::string& pattern) {
  for (const auto& part : util::split(pattern, '/')) {
    const auto status = tree.status(path);
    if (!status || !S_ISDIR(status->st_mode)) return std::nullopt;
    path += (path.empty() ? "" : "/") + part;
  }
  return tree.status(path) ? std::optional(path) : std::nullopt;
}

// --parents: what stands before "/./" is where to begin, the rest a pattern that keeps its directories. A
// path without wildcards must be there, and not be excluded.
std::string split_pivot(const std::string& path, SourceTree& tree, CopyOptions& options) {
  const auto pivot = path.find("/./");
  const std::string begin = pivot == std::string::npos ? "/" : path.substr(0, pivot);
  const std::string pattern = sys::clean_path(pivot == std::string::npos ? path : path.substr(pivot + 3));
  if (!context::has_wildcards(begin) && !context::has_wildcards(pattern)) {
    const std::string required = sys::clean_path(begin + "/" + pattern);
    const auto place = as_written(tree, follow(tree, sys::clean_path(begin)), pattern);
    // What has no name of its own, such as "." or "d/./", matches nothing.
    if (pattern.empty() || !place || !leaves_any(tree, *place, pattern, options.excludes))
      throw_not_found(required, path);
  }
  options.include = pattern;
  return begin;
}

struct FoundPath {
  std::string path;      // as the source names it
  std::string followed;  // where that leads
};

// What one source of a copy means in its tree; sets what `options` need for it. Throws where it is not there.
std::vector<FoundPath> find_source(const plan::Copy& op, const plan::Copy::Source& source, SourceTree& tree,
                                   bool is_context, CopyOptions& options) {
  std::string path = source.path;
  if (op.parents && source.wildcards) path = split_pivot(path, tree, options);
  std::vector<FoundPath> found;
  for (const auto& match : resolve(tree, path, source.wildcards, is_context, options.cancel)) {
    const std::string followed = source.wildcards ? follow(tree, match) : match;
    if (!tree.status(followed)) {
      // With --exclude BuildKit looks for files below a path before it looks for the path.
      const bool by_content = op.excludes.empty() || op.parents || tree.status(match);
      if (is_context && by_content) throw_not_found(match, source.path);
      throw dockerfile::SyntaxError("lstat /" + followed + ": no such file or directory", source.path);
    }
    found.push_back({match, followed});
  }
  return found;
}

// An empty filesystem cannot be asked for names at all.
void check_owner(const snapshot::Stack& base, const std::string& owner) {
  if (base.trees.empty() && !owner.empty() && sandbox::names_owner(owner)) {
    throw util::Error("failed to load cache key: invalid user index -1");
  }
}

class CopyOp {
public:
  CopyOp(const plan::Copy& op, const Inputs& inputs, Workshop& workshop)
      : op_(op), inputs_(inputs), workshop_(workshop) {
    if (!op.link) base_ = inputs.at(op.base).stack;
  }

  Change run(Form form) {
    const bool may_unpack = std::any_of(op_.sources.begin(), op_.sources.end(),
                                        [](const auto& source) { return source.unpack_archives; });
    return form == Form::layer && !may_unpack ? draft() : tree();
  }

private:
  Change tree() {
    const auto workspace = workshop_.snapshotter.open(base_);
    auto root = sys::RootedDir::open(workspace->root(), sys::RootedDir::Times::natural);
    copy(*directory_target(root), &root);
    return commit(*workspace, workshop_);
  }

  Change draft() {
    const auto draft =
        std::make_shared<Draft>(base_.trees.empty() ? nullptr : workshop_.snapshotter.open_read_only(base_));
    copy(*draft, nullptr);
    return {.tree = {}, .draft = draft};
  }

  // `directory` is what `target` stands for, if it is one.
  void copy(CopyTarget& target, sys::RootedDir* directory) {
    const auto options = copy_options();
    for (const auto& source : op_.sources)
      copy_source(source, target, directory, options);
  }

  CopyOptions copy_options() {
    CopyOptions options;
    if (!op_.chown.empty()) {
      check_owner(base_, op_.chown);
      const auto stage = workshop_.snapshotter.open_read_only(base_);
      auto root = sys::RootedDir::open(stage->root());
      options.owner = sandbox::resolve_owner(root, op_.chown);
    }
    if (!op_.chmod.empty()) options.chmod = dockerfile::Chmod::parse(op_.chmod);
    options.excludes = context::Ignore::from_patterns(op_.excludes);
    options.cancel = workshop_.cancel;
    return options;
  }

  const std::shared_ptr<SourceTree>& tree_of(plan::OpId id) {
    auto& source = sources_[id];
    if (!source) source = open_source(inputs_.at(id), workshop_);
    return source;
  }

  void copy_source(const plan::Copy::Source& source, CopyTarget& target, sys::RootedDir* directory,
                   CopyOptions options) {
    const auto& tree = tree_of(source.from);
    const bool is_context = inputs_.at(source.from).local.has_value();
    for (const auto& [match, followed] : find_source(op_, source, *tree, is_context, options)) {
      if (source.unpack_archives &&
          unpack_archive(*tree, followed, *directory, op_.destination, options.owner, options.cancel))
        continue;
      Copier(tree, target, options).copy(followed, dockerfile::base_name("/" + match), op_.destination);
    }
  }

  const plan::Copy& op_;
  const Inputs& inputs_;
  Workshop& workshop_;
  snapshot::Stack base_;  // nothing below a --link
  std::map<plan::OpId, std::shared_ptr<SourceTree>> sources_;
};

}  // namespace

std::shared_ptr<SourceTree> open_source(const Filesystem& filesystem, Workshop& workshop) {
  if (filesystem.local) return filesystem.local->tree;
  struct Mounted {
    std::unique_ptr<snapshot::Workspace> workspace;
    std::unique_ptr<SourceTree> tree;
  };
  const auto mounted = std::make_shared<Mounted>();
  mounted->workspace = workshop.snapshotter.open_read_only(filesystem.stack);
  mounted->tree = root_source(mounted->workspace->root());
  return {mounted, mounted->tree.get()};
}

Change copy(const plan::Copy& op, const Inputs& inputs, Workshop& workshop, Form form) {
  return CopyOp(op, inputs, workshop).run(form);
}

Content content(const plan::Copy& op, const plan::Copy::Source& source, const Filesystem& from,
                Workshop& workshop) {
  CopyOptions options;
  options.excludes = context::Ignore::from_patterns(op.excludes);
  options.cancel = workshop.cancel;
  const auto tree = open_source(from, workshop);
  std::vector<Selected> selected;
  const bool is_named = source.wildcards && context::has_wildcards(source.path);
  for (const auto& [match, followed] : find_source(op, source, *tree, from.local.has_value(), options))
    selected.push_back({followed, is_named ? dockerfile::base_name("/" + match) : std::string()});
  return content_of(tree, selected, options);
}

void require_sources(const plan::Copy& op, plan::OpId from, const LocalFiles& files,
                     const sys::Cancellation& cancel) {
  if (!op.excludes.empty() && !op.parents) return;  // BuildKit finds that out when it copies
  CopyOptions options;
  options.excludes = context::Ignore::from_patterns(op.excludes);
  options.cancel = cancel;
  for (const auto& source : op.sources) {
    if (source.from != from) continue;
    try {
      find_source(op, source, *files.tree, true, options);
    } catch (const dockerfile::SyntaxError&) {
      throw;
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;  // all else is found out by who copies
    }
  }
}

Change make_file(const plan::MakeFile& op, Workshop& workshop) {
  const auto workspace = workshop.snapshotter.open({});
  auto root = sys::RootedDir::open(workspace->root());
  const auto place = root.find(op.name);
  if (!place) throw util::Error("open /" + util::escape(op.name) + ": no such file or directory");
  auto file = root.create_file(*place);
  sys::write_all(file.get(), op.content, util::quote(op.name));
  sys::close_checked(std::move(file), util::quote(op.name));
  root.set_mode(*place, 0644);
  return commit(*workspace, workshop);
}

Change make_directory(const plan::MakeDirectory& op, const Inputs& inputs, Workshop& workshop) {
  const auto& base = inputs.at(op.base).stack;
  check_owner(base, op.user);
  const auto workspace = workshop.snapshotter.open(base);
  auto root = sys::RootedDir::open(workspace->root(), sys::RootedDir::Times::natural);
  const auto owner = op.user.empty() ? sandbox::Owner{} : sandbox::resolve_owner(root, op.user);
  const auto destination = root.destination(op.path);
  if (!destination) throw util::Error("mkdir " + op.path + ": too many links");
  const auto components =
      destination->is_root() ? std::vector<std::string>() : util::split(destination->str(), '/');
  sys::RootedPath at;
  for (std::size_t i = 0; i < components.size(); ++i) {
    at = at.child(components[i]);
    const auto status = root.status(at);
    if (status && !S_ISDIR(status->st_mode)) {
      throw util::Error(i + 1 < components.size()
                            ? "lstat /" + at.child(components[i + 1]).str() + ": not a directory"
                            : "mkdir /" + at.str() + ": not a directory");
    }
    if (status) continue;
    root.make_directory(at);
    if (const auto error = root.set_owner(at, owner.uid, owner.gid)) {
      util::throw_errno("cannot set the owner of " + util::quote("/" + at.str()), error.value());
    }
    root.set_mode(at, 0755);
    if (workshop.epoch) root.set_mtime(at, {.tv_sec = *workshop.epoch, .tv_nsec = 0});
  }
  return commit(*workspace, workshop);
}

}  // namespace solver
