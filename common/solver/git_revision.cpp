// Commits by their ids, or by what a server lists.
#include "common/solver/git_revision.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "common/util/characters.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

util::Error mismatch(const plan::Git& op, const std::string& found) {
  return util::Error("expected checksum to match " + op.checksum + ", got " + util::escape(found));
}

// git would take it for an option.
void check_ref(const std::string& ref) {
  if (ref.starts_with('-')) throw util::Error("invalid git ref \"" + util::escape(ref) + "\"");
}

void check(const plan::Git& op) {
  check_ref(op.ref);
  if (!std::all_of(op.checksum.begin(), op.checksum.end(), util::is_hex_digit)) {
    throw util::Error("invalid checksum " + util::escape(op.checksum) +
                      " for Git URL, expected hex commit hash");
  }
}

GitRevision revision_by_commit(const plan::Git& op) {
  if (op.checksum.empty()) throw util::Error("fetch-by-commit requires a checksum or a commit SHA ref");
  if (!is_commit_id(op.checksum)) {
    throw util::Error("fetch-by-commit requires a full commit SHA checksum, got \"" +
                      util::escape(op.checksum) + "\"");
  }
  std::string ref = op.ref;
  if (ref.empty())
    ref = op.checksum;
  else if (!ref.starts_with("refs/"))
    ref = "refs/heads/" + ref;
  return {.ref = ref, .commit = op.checksum, .target = op.checksum};
}

// What the server lists, by name.
using Listed = std::map<std::string, std::string>;

Listed parse_listed(const std::string& text) {
  Listed listed;
  for (const auto& line : util::split(text, '\n')) {
    const auto tab = line.find('\t');
    if (tab != std::string::npos) listed[line.substr(tab + 1)] = line.substr(0, tab);
  }
  return listed;
}

GitRevision checked(const plan::Git& op, GitRevision revision, const std::string& tagged_commit) {
  if (!is_commit_id(revision.commit))
    throw util::Error("invalid commit sha \"" + util::escape(revision.commit) + "\"");
  if (!revision.commit.starts_with(op.checksum) && !tagged_commit.starts_with(op.checksum))
    throw mismatch(op, tagged_commit.empty() ? revision.commit : " or " + tagged_commit);
  return revision;
}

GitRevision default_branch(const plan::Git& op, GitRemote& remote) {
  const auto& git = remote.git();
  const auto text = util::with_context("error fetching default branch for repository " + remote.shown(), [&] {
    return git.run({"ls-remote", "--symref", "--", op.remote, "HEAD"});
  });
  constexpr std::string_view prefix = "refs/heads/";
  const auto begin = text.find(prefix);
  if (begin == std::string::npos)
    throw util::Error("could not find default branch for repository: " + remote.shown());
  const auto name_begin = begin + prefix.size();
  const std::string name = text.substr(name_begin, text.find_first_of(" \t\n", name_begin) - name_begin);
  check_ref(name);
  const auto commit = parse_listed(text)["HEAD"];
  return checked(op, {.ref = name, .commit = commit, .target = commit}, "");
}

// Of what the server lists: the ref as it stands, else a branch, else a tag.
GitRevision choose(const plan::Git& op, const std::string& text) {
  const auto with_prefix = [&](const std::string& prefix) {
    return op.ref.starts_with(prefix) ? op.ref : prefix + op.ref;
  };
  const std::string whole = with_prefix("refs/");
  const std::string tag = with_prefix("refs/tags/");
  const auto listed = parse_listed(text);
  const auto find = [&](const std::string& name) {
    const auto found = listed.find(name);
    return found == listed.end() ? std::string() : found->second;
  };
  for (const auto& name : {whole, with_prefix("refs/heads/"), tag}) {
    if (!listed.contains(name)) continue;
    const auto commit = find(name);
    const auto peeled = find(name + "^{}");
    return checked(op, {.ref = op.ref, .commit = commit, .target = peeled.empty() ? commit : peeled},
                   name == tag && name != whole ? peeled : "");
  }
  throw util::Error("repository does not contain ref " + util::escape(op.ref) + ", output: \"" +
                    util::escape(text) + "\"");
}

GitRevision ask(const plan::Git& op, GitRemote& remote) {
  if (op.ref.empty()) return default_branch(op, remote);
  const auto& git = remote.git();
  const auto listed = util::with_context("failed to fetch remote " + remote.shown(), [&] {
    return git.run({"ls-remote", "--", op.remote, op.ref, op.ref + "^{}"});
  });
  return choose(op, listed);
}

// What the op says itself.
std::optional<GitRevision> written(const plan::Git& op) {
  check(op);
  if (is_commit_id(op.ref)) {
    if (!op.ref.starts_with(op.checksum)) throw mismatch(op, op.ref);
    return GitRevision{.ref = op.ref, .commit = op.ref, .target = op.ref};
  }
  if (op.fetch_by_commit) return revision_by_commit(op);
  if (!is_commit_id(op.checksum)) return std::nullopt;
  return GitRevision{.ref = op.ref, .commit = op.checksum, .target = op.checksum, .is_confirmed = false};
}

}  // namespace

GitRevision find_revision(const plan::Git& op, GitRemote& remote) {
  const auto revision = util::with_context(before_any_file, [&] { return written(op); });
  return revision ? *revision : confirm(op, remote);
}

GitRevision confirm(const plan::Git& op, GitRemote& remote) {
  remote.git();  // says itself what is missing here
  return util::with_context(before_any_file, [&] { return ask(op, remote); });
}

}  // namespace solver
