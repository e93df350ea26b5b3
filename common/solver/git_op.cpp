// What a git reference means, and a checkout of it.
#include "common/solver/git_op.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "common/registry/base64.hpp"
#include "common/solver/git_command.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/characters.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;

// How BuildKit introduces what goes wrong while it finds out what a reference means.
constexpr std::string_view before_any_file = "failed to load cache key";

// What is between "//" and the path of a URL; empty for "user@host:path".
std::string_view authority(std::string_view remote) {
  const auto begin = remote.find("://");
  if (begin == std::string_view::npos) return {};
  return remote.substr(begin + 3, remote.find('/', begin + 3) - begin - 3);
}

// Without the name and the password in a URL.
std::string redacted(const std::string& remote) {
  const auto whole = authority(remote);
  const auto at = whole.rfind('@');
  if (at == std::string_view::npos || at == 0) return remote;
  const bool has_password = whole.substr(0, at).find(':') != std::string_view::npos;
  const auto begin = static_cast<std::size_t>(whole.data() - remote.data());
  return remote.substr(0, begin) + (has_password ? "xxxxx:xxxxx" : "xxxxx") + remote.substr(begin + at);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// Secrets of these names are credentials for the remote, with its host appended for that host alone.
std::vector<std::string> credentials(const std::string& remote, const Workshop& workshop) {
  if (!remote.starts_with("http")) return {};
  auto host = authority(remote);
  if (const auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  std::string scope = remote;
  for (const std::string_view github : {"https://github.com/", "https://www.github.com/"}) {
    if (remote.starts_with(github)) scope = github;
  }
  // Once a redirect has led elsewhere, git sends its further requests there with all extra fields.
  const auto setting = [&](const std::string& value) {
    return std::vector{"http." + scope + ".extraheader=Authorization: " + value,
                       "http." + scope + ".followRedirects=false"};
  };
  for (const std::string& suffix : {"." + std::string(host), std::string()}) {
    if (const auto header = workshop.steps().secrets.find("GIT_AUTH_HEADER" + suffix))
      return setting(*header);
    if (const auto token = workshop.steps().secrets.find("GIT_AUTH_TOKEN" + suffix))
      return setting("basic " + registry::encode_base64("x-access-token:" + *token));
  }
  return {};
}

class GitOp {
public:
  GitOp(const plan::Git& op, Workshop& workshop, engine::Progress::Vertex& vertex)
      : op_(op),
        workshop_(workshop),
        shown_(util::escape(redacted(op.remote))),
        ref_(op.ref),
        agent_(open_agent(op, workshop)),
        git_(credentials(op.remote, workshop), ssh_environment(), workshop, vertex) {}

  Change run() {
    util::with_context(before_any_file, [&] { resolve(); });
    const auto directory = sys::absolute_path(workshop_.trees.new_path());
    sys::make_directory(directory, 0700);
    // Submodules name their repository by the way from one to the other, so both have fixed names.
    const fs::path repository = directory / "repository";
    const fs::path tree = directory / "tree";
    sys::make_directory(repository, 0700);
    sys::make_directory(tree, 0755);
    fetch(repository);
    check_out(repository, tree);
    sys::remove_tree(repository);
    return {.tree = subdirectory(tree)};
  }

private:
  // The keys are those of the build's agent alone; without this variable ssh looks for no agent.
  std::vector<std::string> ssh_environment() const {
    if (!agent_) return {};
    return {"SSH_AUTH_SOCK=" + agent_->short_path()};
  }

  static std::unique_ptr<AgentSocket> open_agent(const plan::Git& op, const Workshop& workshop) {
    if (op.remote.starts_with("http") || op.remote.starts_with("git://")) return nullptr;
    auto agent = workshop.steps().ssh.open("default", {});
    if (!agent)
      throw util::Error(std::string(before_any_file) + ": " +
                        workshop.steps().ssh.absence("default", "default"));
    return agent;
  }

  // Finds the commit that the ref means on the server.
  void resolve() {
    check_ref(ref_);
    if (!std::all_of(op_.checksum.begin(), op_.checksum.end(), util::is_hex_digit)) {
      throw util::Error("invalid checksum " + util::escape(op_.checksum) +
                        " for Git URL, expected hex commit hash");
    }
    if (is_commit_id(ref_)) {
      commit_ = ref_;
      if (!ref_.starts_with(op_.checksum)) throw mismatch(ref_);
      return;
    }
    if (op_.fetch_by_commit) return resolve_by_commit();
    if (ref_.empty()) ref_ = default_branch();
    const auto listed = util::with_context("failed to fetch remote " + shown_, [&] {
      return git_.run({"ls-remote", "--", op_.remote, ref_, ref_ + "^{}"});
    });
    choose(listed);
  }

  void resolve_by_commit() {
    if (op_.checksum.empty()) throw util::Error("fetch-by-commit requires a checksum or a commit SHA ref");
    if (!is_commit_id(op_.checksum)) {
      throw util::Error("fetch-by-commit requires a full commit SHA checksum, got \"" +
                        util::escape(op_.checksum) + "\"");
    }
    commit_ = op_.checksum;
    if (ref_.empty())
      ref_ = commit_;
    else if (!ref_.starts_with("refs/"))
      ref_ = "refs/heads/" + ref_;
  }

  std::string default_branch() const {
    const auto listed = util::with_context("error fetching default branch for repository " + shown_, [&] {
      return git_.run({"ls-remote", "--symref", "--", op_.remote, "HEAD"});
    });
    constexpr std::string_view prefix = "refs/heads/";
    const auto begin = listed.find(prefix);
    if (begin == std::string::npos)
      throw util::Error("could not find default branch for repository: " + shown_);
    const auto name_begin = begin + prefix.size();
    const std::string name =
        listed.substr(name_begin, listed.find_first_of(" \t\n", name_begin) - name_begin);
    check_ref(name);
    return name;
  }

  // Of what the server lists: the ref as it stands, else a branch, else a tag.
  void choose(const std::string& listed) {
    const auto with_prefix = [&](const std::string& prefix) {
      return ref_.starts_with(prefix) ? ref_ : prefix + ref_;
    };
    const std::string branch = with_prefix("refs/heads/");
    const std::string tag = with_prefix("refs/tags/");
    std::map<std::string, std::string> commits;
    for (const auto& line : util::split(listed, '\n')) {
      const auto tab = line.find('\t');
      if (tab != std::string::npos) commits[line.substr(tab + 1)] = line.substr(0, tab);
    }
    std::string tagged_commit;
    for (const auto& name : {with_prefix("refs/"), branch, tag}) {
      const auto found = commits.find(name);
      if (found == commits.end()) continue;
      commit_ = found->second;
      if (name == tag && name != with_prefix("refs/")) tagged_commit = commits[tag + "^{}"];
      break;
    }
    if (commit_.empty()) {
      throw util::Error("repository does not contain ref " + util::escape(ref_) + ", output: \"" +
                        util::escape(listed) + "\"");
    }
    if (!is_commit_id(commit_)) throw util::Error("invalid commit sha \"" + util::escape(commit_) + "\"");
    if (!commit_.starts_with(op_.checksum) && !tagged_commit.starts_with(op_.checksum))
      throw mismatch(tagged_commit.empty() ? commit_ : " or " + tagged_commit);
  }

  util::Error mismatch(const std::string& found) const {
    return util::Error("expected checksum to match " + op_.checksum + ", got " + util::escape(found));
  }

  // The names that git knows the commit by in our repository.
  const std::string& fetched_name() const { return op_.fetch_by_commit ? commit_ : ref_; }

  void fetch(const fs::path& repository) {
    const auto git = git_.in(repository);
    init(git, true);
    git.run({"remote", "add", "--", "origin", op_.remote});
    const std::string local = ref_.starts_with("refs/tags/") ? ref_ : "tags/" + ref_;
    std::vector<std::string> arguments = {"fetch"};
    if (op_.fetch_by_commit || !is_commit_id(ref_)) {
      arguments.insert(arguments.end(), {"--depth=1", "--no-tags"});
    } else {
      arguments.emplace_back("--tags");  // few servers give a commit alone; it must be below a branch or tag
    }
    if (is_commit_id(ref_)) {
      arguments.insert(arguments.end(), {"origin", ref_});
    } else {
      arguments.insert(arguments.end(), {"--force", "--", "origin", fetched_name() + ":" + local});
    }
    util::with_context("failed to fetch remote " + shown_, [&] { git.run(arguments); });
    const auto fetched = first_line(git.run({"rev-parse", fetched_name()}));
    if (fetched != commit_) {
      throw util::Error("fetched ref " + util::escape(ref_) + " does not match expected commit " + commit_ +
                        ": the repository changed meanwhile, build again");
    }
    verify_checksum(git);
  }

  void verify_checksum(const GitCommand& git) const {
    if (op_.checksum.empty() || commit_.starts_with(op_.checksum)) return;
    const auto peeled = first_line(git.run({"rev-parse", fetched_name() + "^{}"}));
    if (peeled == commit_) throw mismatch(commit_);
    if (!peeled.starts_with(op_.checksum)) throw mismatch(commit_ + " or " + peeled);
  }

  void init(const GitCommand& git, bool bare) const {
    std::vector<std::string> arguments = {"-c", "init.defaultBranch=master", "init"};
    if (bare) arguments.emplace_back("--bare");
    if (commit_.size() == 64) arguments.emplace_back("--object-format=sha256");
    git.run(arguments);
  }

  void check_out(const fs::path& repository, const fs::path& tree) {
    const bool keep_git_dir = op_.keep_git_dir && clean_subdirectory().empty();
    const auto git = git_.in(keep_git_dir ? tree / ".git" : repository, tree);
    if (keep_git_dir) {
      clone(git_.in(repository), git, repository);
      git.run({"remote", "set-url", "--", "origin", redacted(op_.remote)});
      git.run({"reflog", "expire", "--all", "--expire=now"});
      sys::remove_tree(tree / ".git" / "FETCH_HEAD");
    } else {
      util::with_context("failed to checkout remote " + shown_, [&] {
        git.run({"checkout", "--no-overlay", fetched_name(), "--", "."});
      });
    }
    if (!op_.submodules) return;
    util::with_context("failed to update submodules for " + shown_, [&] {
      git.run({"submodule", "update", "--init", "--recursive", "--depth=1"});
    });
  }

  // Into a repository that holds the one commit alone, under the name that the user gave.
  void clone(const GitCommand& from, const GitCommand& to, const fs::path& repository) const {
    init(to, false);
    to.run({"remote", "add", "--", "origin", "file://" + repository.string()});
    std::string wanted = ref_ + ":" + ref_;
    if (first_line(from.run({"cat-file", "-t", fetched_name()})) == "tag") {
      wanted = ref_ + ":" + (ref_.starts_with("refs/tags/") ? ref_ : "refs/tags/" + ref_);
    } else if (op_.fetch_by_commit && ref_ != commit_) {
      wanted = commit_ + ":" + ref_;
    } else if (is_commit_id(ref_)) {
      wanted = "refs/buildkit/commit";  // a server gives by name what it may not give by id
      from.run({"update-ref", wanted, ref_});
    }
    to.run({"fetch", "-u", "--depth=1", "--", "origin", wanted});
    util::with_context("failed to checkout remote " + shown_, [&] { to.run({"checkout", "FETCH_HEAD"}); });
  }

  std::string clean_subdirectory() const { return sys::clean_path(op_.subdirectory); }

  // Neither files nor symlinks may be on the way.
  fs::path subdirectory(const fs::path& tree) const {
    const std::string subdirectory = clean_subdirectory();
    if (subdirectory.empty()) return tree;
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
    return tree / subdirectory;
  }

  // git would take it for an option.
  static void check_ref(const std::string& ref) {
    if (ref.starts_with('-')) throw util::Error("invalid git ref \"" + util::escape(ref) + "\"");
  }

  const plan::Git& op_;
  Workshop& workshop_;
  std::string shown_;   // the remote, for people
  std::string ref_;     // with the remote's HEAD in place of none
  std::string commit_;  // or the tag object
  std::unique_ptr<AgentSocket> agent_;
  GitCommand git_;
};

}  // namespace

Change check_out(const plan::Git& op, Workshop& workshop, engine::Progress::Vertex& vertex) {
  return GitOp(op, workshop, vertex).run();
}

}  // namespace solver
