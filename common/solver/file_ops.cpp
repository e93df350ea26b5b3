// What COPY, ADD and WORKDIR do to a filesystem.
#include "common/solver/file_ops.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "common/dockerfile/paths.hpp"
#include "common/solver/copier.hpp"
#include "common/solver/copy_sources.hpp"
#include "common/solver/draft.hpp"
#include "common/solver/unpack_archive.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

// An empty filesystem cannot be asked for names at all.
void check_owner(const snapshot::Stack& base, const std::string& owner) {
  if (base.trees.empty() && !owner.empty() && sandbox::names_owner(owner)) {
    throw util::Error("failed to load cache key: invalid user index -1");
  }
}

// There a context has only what was sent of it.
bool is_behind_link(const std::optional<LocalFiles>& local, const std::string& match,
                    const std::string& followed) {
  return local && match != followed;
}

class CopyOp {
public:
  CopyOp(const plan::Copy& op, const Inputs& inputs, Trees& trees, const sys::Cancellation& cancel)
      : op_(op), inputs_(inputs), trees_(trees), cancel_(cancel) {
    if (!op.link) base_ = inputs.at(op.base).stack;
  }

  Change run(Form form) {
    const bool may_unpack = std::any_of(op_.sources.begin(), op_.sources.end(),
                                        [](const auto& source) { return source.unpack_archives; });
    return form == Form::layer && !may_unpack ? draft() : tree();
  }

private:
  Change tree() {
    const auto workspace = trees_.snapshotter().open(base_);
    auto root = sys::RootedDir::open(workspace->root(), sys::RootedDir::Times::natural);
    copy(*directory_target(root, base_.trees.empty() ? Over::nothing : Over::files), &root);
    return trees_.commit(*workspace);
  }

  Change draft() {
    const auto draft =
        std::make_shared<Draft>(base_.trees.empty() ? nullptr : trees_.snapshotter().open_read_only(base_));
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
      const auto stage = trees_.snapshotter().open_read_only(base_);
      auto root = sys::RootedDir::open(stage->root());
      options.owner = sandbox::resolve_owner(root, op_.chown);
    }
    if (!op_.chmod.empty()) options.chmod = dockerfile::Chmod::parse(op_.chmod);
    options.excludes = context::Ignore::from_patterns(op_.excludes);
    options.cancel = cancel_;
    return options;
  }

  const std::shared_ptr<SourceTree>& tree_of(plan::OpId id) {
    auto& source = sources_[id];
    if (!source) source = open_source(inputs_.at(id), trees_.snapshotter());
    return source;
  }

  void copy_source(const plan::Copy::Source& source, CopyTarget& target, sys::RootedDir* directory,
                   CopyOptions options) {
    const auto& tree = tree_of(source.from);
    const auto& local = inputs_.at(source.from).local;
    const From from = local ? context_of(*local) : From{*tree};
    for (const auto& [match, followed] : find_source(op_, source, from, options)) {
      if (source.unpack_archives &&
          unpack_archive(*tree, followed, *directory, op_.destination, options.owner, options.cancel))
        continue;
      Copier(is_behind_link(local, match, followed) ? local->sent : tree, target, options)
          .copy(followed, dockerfile::base_name("/" + match), op_.destination);
    }
  }

  const plan::Copy& op_;
  const Inputs& inputs_;
  Trees& trees_;
  const sys::Cancellation& cancel_;
  snapshot::Stack base_;  // nothing below a --link
  std::map<plan::OpId, std::shared_ptr<SourceTree>> sources_;
};

}  // namespace

std::shared_ptr<SourceTree> open_source(const Filesystem& filesystem, snapshot::Snapshotter& snapshotter) {
  if (filesystem.local) return filesystem.local->tree;
  struct Mounted {
    std::unique_ptr<snapshot::Workspace> workspace;
    std::unique_ptr<SourceTree> tree;
  };
  const auto mounted = std::make_shared<Mounted>();
  mounted->workspace = snapshotter.open_read_only(filesystem.stack);
  mounted->tree = root_source(mounted->workspace->root());
  return {mounted, mounted->tree.get()};
}

Change copy(const plan::Copy& op, const Inputs& inputs, Form form, Trees& trees,
            const sys::Cancellation& cancel) {
  return CopyOp(op, inputs, trees, cancel).run(form);
}

Content content(const plan::Copy& op, const plan::Copy::Source& source, const Filesystem& from,
                snapshot::Snapshotter& snapshotter, const sys::Cancellation& cancel) {
  CopyOptions options;
  options.excludes = context::Ignore::from_patterns(op.excludes);
  options.cancel = cancel;
  const auto tree = open_source(from, snapshotter);
  std::vector<Selected> selected;
  const bool is_named = source.wildcards && context::has_wildcards(source.path);
  const From files = from.local ? context_of(*from.local) : From{*tree};
  bool is_behind_any = false;
  for (const auto& [match, followed] : find_source(op, source, files, options)) {
    selected.push_back({followed, is_named ? dockerfile::base_name("/" + match) : std::string()});
    is_behind_any = is_behind_any || is_behind_link(from.local, match, followed);
  }
  return content_of(is_behind_any ? from.local->sent : tree, selected, options);
}

void require_sources(const plan::Copy& op, plan::OpId from, const LocalFiles& files,
                     const sys::Cancellation& cancel) {
  for (const auto& source : op.sources) {
    if (source.from != from || !is_looked_for(op, source)) continue;
    CopyOptions options;
    options.excludes = context::Ignore::from_patterns(op.excludes);
    options.cancel = cancel;
    try {
      if (op.excludes.empty() || op.parents) {
        find_source(op, source, context_of(files), options);
      } else {  // all else BuildKit finds out when it copies
        require_targets(op, source, source.path, context_of(files), options);
      }
    } catch (const dockerfile::SyntaxError&) {
      throw;
    } catch (const util::Error& error) {
      if (error.is_cancelled()) throw;  // all else is found out by who copies
    }
  }
}

Change make_file(const plan::MakeFile& op, Trees& trees) {
  const auto workspace = trees.snapshotter().open({});
  auto root = sys::RootedDir::open(workspace->root());
  const auto place = root.find(op.name);
  if (!place) throw util::Error("open /" + util::escape(op.name) + ": no such file or directory");
  auto file = root.create_file(*place);
  sys::write_all(file.get(), op.content, util::quote(op.name));
  sys::close_checked(std::move(file), util::quote(op.name));
  root.set_mode(*place, 0644);
  return trees.commit(*workspace);
}

Change make_directory(const plan::MakeDirectory& op, const Inputs& inputs, Trees& trees,
                      std::optional<std::int64_t> epoch) {
  const auto& base = inputs.at(op.base).stack;
  check_owner(base, op.user);
  const auto workspace = trees.snapshotter().open(base);
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
    if (epoch) root.set_mtime(at, {.tv_sec = *epoch, .tv_nsec = 0});
  }
  return trees.commit(*workspace);
}

}  // namespace solver
