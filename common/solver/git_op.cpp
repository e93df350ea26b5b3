// A checkout of what a git reference means, out of the store where it is there.
#include "common/solver/git_op.hpp"

#include <sys/stat.h>

#include <optional>
#include <system_error>
#include <utility>

#include "common/dockerfile/remote.hpp"
#include "common/plan/cache_key.hpp"
#include "common/solver/copier.hpp"
#include "common/solver/git_command.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// What is in one directory, into an empty one.
void copy_all(const fs::path& from, sys::RootedDir& to, const sys::Cancellation& cancel) {
  const auto target = directory_target(to);
  CopyOptions options;
  options.cancel = cancel;
  Copier(root_source(from), *target, options).copy("", "", "/");
}

class GitOp {
public:
  GitOp(const plan::Git& op, GitRevision revision, GitRemote& remote, Trees& trees,
        const sys::Cancellation& cancel)
      : op_(op), revision_(std::move(revision)), remote_(remote), trees_(trees), cancel_(cancel) {}

  Checkout run(Fetching fetching, StepCache* cache) {
    if (cache == nullptr || fetching == Fetching::anew) return {subdirectory(*fetched())};
    const auto found = cache->trees().get(plan::checkout_identity(op_, revision_.ref, revision_.commit),
                                          store::Bytes::awaited, cancel_, [&](const fs::path& root) {
                                            put(root);
                                            return store::Fidelity::whole;
                                          });
    return {subdirectory(found.root), found.was_there};
  }

private:
  // In a directory of the build. Nobody may move anything in the store to which git has a path.
  const std::optional<fs::path>& fetched() {
    if (fetched_) return fetched_;
    if (!revision_.is_confirmed) revision_ = confirm(op_, remote_);
    const auto directory = sys::absolute_path(trees_.new_path());
    sys::make_directory(directory, 0700);
    // Submodules name their repository by the way from one to the other, so both have fixed names.
    const fs::path repository = directory / "repository";
    const fs::path tree = directory / "tree";
    sys::make_directory(repository, 0700);
    sys::make_directory(tree, 0755);
    fetch(repository);
    check_out(repository, tree);
    sys::remove_tree(repository);
    fetched_ = tree;
    return fetched_;
  }

  // Into an empty directory of the store, which may be on another filesystem.
  void put(const fs::path& root) {
    const auto tree = *fetched();
    auto from = sys::RootedDir::open(tree);
    auto to = sys::RootedDir::open(root);
    try {
      for (const auto& name : from.list({})) {
        const auto place = sys::RootedPath().child(name);
        to.move(place, from, place);
        fetched_.reset();
      }
    } catch (const util::Error& error) {
      if (error.cause().code != std::errc::cross_device_link) throw;
      copy_all(tree, to, cancel_);
    }
  }

  util::Error mismatch(const std::string& found) const {
    return util::Error("expected checksum to match " + op_.checksum + ", got " + util::escape(found));
  }

  // The names that git knows the commit by in our repository.
  const std::string& fetched_name() const { return op_.fetch_by_commit ? revision_.commit : revision_.ref; }

  void fetch(const fs::path& repository) {
    const auto git = remote_.git().in(repository);
    init(git, true);
    git.run({"remote", "add", "--", "origin", op_.remote});
    const std::string local =
        revision_.ref.starts_with("refs/tags/") ? revision_.ref : "tags/" + revision_.ref;
    std::vector<std::string> arguments = {"fetch"};
    if (op_.fetch_by_commit || !is_commit_id(revision_.ref)) {
      arguments.insert(arguments.end(), {"--depth=1", "--no-tags"});
    } else {
      arguments.emplace_back("--tags");  // few servers give a commit alone; it must be below a branch or tag
    }
    if (is_commit_id(revision_.ref)) {
      arguments.insert(arguments.end(), {"origin", revision_.ref});
    } else {
      arguments.insert(arguments.end(), {"--force", "--", "origin", fetched_name() + ":" + local});
    }
    util::with_context("failed to fetch remote " + remote_.shown(), [&] { git.run(arguments); });
    const auto fetched = first_line(git.run({"rev-parse", fetched_name()}));
    if (fetched != revision_.commit) {
      throw util::Error("fetched ref " + util::escape(revision_.ref) + " does not match expected commit " +
                        revision_.commit + ": the repository changed meanwhile, build again");
    }
    verify_checksum(git);
  }

  void verify_checksum(const GitCommand& git) const {
    if (op_.checksum.empty() || revision_.commit.starts_with(op_.checksum)) return;
    const auto peeled = first_line(git.run({"rev-parse", fetched_name() + "^{}"}));
    if (peeled == revision_.commit) throw mismatch(revision_.commit);
    if (!peeled.starts_with(op_.checksum)) throw mismatch(revision_.commit + " or " + peeled);
  }

  void init(const GitCommand& git, bool bare) const {
    std::vector<std::string> arguments = {"-c", "init.defaultBranch=master", "init"};
    if (bare) arguments.emplace_back("--bare");
    if (revision_.commit.size() == 64) arguments.emplace_back("--object-format=sha256");
    git.run(arguments);
  }

  void check_out(const fs::path& repository, const fs::path& tree) {
    const bool keep_git_dir = op_.keep_git_dir && clean_subdirectory().empty();
    const auto git = remote_.git().in(keep_git_dir ? tree / ".git" : repository, tree);
    if (keep_git_dir) {
      clone(remote_.git().in(repository), git, repository);
      git.run({"remote", "set-url", "--", "origin", dockerfile::without_login(op_.remote)});
      git.run({"reflog", "expire", "--all", "--expire=now"});
      sys::remove_tree(tree / ".git" / "FETCH_HEAD");
    } else {
      util::with_context("failed to checkout remote " + remote_.shown(), [&] {
        git.run({"checkout", "--no-overlay", fetched_name(), "--", "."});
      });
    }
    if (!op_.submodules) return;
    util::with_context("failed to update submodules for " + remote_.shown(), [&] {
      git.run({"submodule", "update", "--init", "--recursive", "--depth=1"});
    });
  }

  // Into a repository that holds the one commit alone, under the name that the user gave.
  void clone(const GitCommand& from, const GitCommand& to, const fs::path& repository) const {
    init(to, false);
    to.run({"remote", "add", "--", "origin", "file://" + repository.string()});
    std::string wanted = revision_.ref + ":" + revision_.ref;
    if (first_line(from.run({"cat-file", "-t", fetched_name()})) == "tag") {
      wanted = revision_.ref + ":" +
               (revision_.ref.starts_with("refs/tags/") ? revision_.ref : "refs/tags/" + revision_.ref);
    } else if (op_.fetch_by_commit && revision_.ref != revision_.commit) {
      wanted = revision_.commit + ":" + revision_.ref;
    } else if (is_commit_id(revision_.ref)) {
      wanted = "refs/buildkit/commit";  // a server gives by name what it may not give by id
      from.run({"update-ref", wanted, revision_.ref});
    }
    to.run({"fetch", "-u", "--depth=1", "--", "origin", wanted});
    util::with_context("failed to checkout remote " + remote_.shown(), [&] {
      to.run({"checkout", "FETCH_HEAD"});
    });
  }

  std::string clean_subdirectory() const { return sys::clean_path(op_.subdirectory); }

  // Neither files nor symlinks may be on the way.
  Change subdirectory(const fs::path& tree) const {
    const std::string subdirectory = clean_subdirectory();
    if (subdirectory.empty()) return {.tree = tree};
    auto root = sys::RootedDir::open(tree);
    const std::string context = "invalid subdir " + util::escape(subdirectory);
    sys::RootedPath place;
    for (const auto& name : util::split(subdirectory, '/')) {
      place = place.child(name);
      const auto status = root.status(place);
      const std::string shown = "\"" + util::escape(place.str()) + "\"";
      if (!status) {
        throw util::Error(context + ": failed to lstat " + shown + ": statat " + util::escape(place.str()) +
                          ": no such file or directory");
      }
      if (!S_ISDIR(status->st_mode)) {
        throw util::Error(context + ": git subpath \"" + util::escape(subdirectory) +
                          "\" contains non-directory " + shown);
      }
    }
    auto held = std::make_shared<const store::Folder>(root.open_place(subdirectory), tree / subdirectory);
    return {.tree = held->handle(), .held = held};
  }

  const plan::Git& op_;
  GitRevision revision_;
  GitRemote& remote_;
  Trees& trees_;
  const sys::Cancellation& cancel_;
  std::optional<fs::path> fetched_;  // where the files are while they are the build's own
};

}  // namespace

Checkout check_out(const plan::Git& op, const GitRevision& revision, Fetching fetching, GitRemote& remote,
                   Trees& trees, StepCache* cache, const sys::Cancellation& cancel) {
  return GitOp(op, revision, remote, trees, cancel).run(fetching, cache);
}

}  // namespace solver
