// Logins for git.
#include "common/solver/git_remote.hpp"

#include <string_view>
#include <utility>

#include "common/dockerfile/remote.hpp"
#include "common/hash/base64.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

// What is between "//" and the path of a URL; empty for "user@host:path".
std::string_view authority(std::string_view remote) {
  const auto begin = remote.find("://");
  if (begin == std::string_view::npos) return {};
  return remote.substr(begin + 3, remote.find('/', begin + 3) - begin - 3);
}

// Secrets of these names are credentials for the remote, with its host appended for that host alone.
std::vector<std::string> credentials(const std::string& remote, const Secrets& secrets) {
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
    if (const auto header = secrets.find("GIT_AUTH_HEADER" + suffix)) return setting(*header);
    if (const auto token = secrets.find("GIT_AUTH_TOKEN" + suffix))
      return setting("basic " + hash::encode_base64("x-access-token:" + *token));
  }
  return {};
}

std::unique_ptr<AgentSocket> open_agent(const plan::Git& op, const SshAgents& ssh) {
  if (op.remote.starts_with("http") || op.remote.starts_with("git://")) return nullptr;
  auto agent = ssh.open("default", {});
  if (!agent) throw util::Error(std::string(before_any_file) + ": " + ssh.absence("default", "default"));
  return agent;
}

}  // namespace

GitRemote::GitRemote(const plan::Git& op, const Secrets& secrets, const SshAgents& ssh,
                     sys::Cancellation cancel, GitCommand::Say say)
    : op_(op),
      secrets_(secrets),
      ssh_(ssh),
      cancel_(std::move(cancel)),
      say_(std::move(say)),
      shown_(util::escape(dockerfile::without_login(op.remote))) {}

const GitCommand& GitRemote::git() {
  if (!git_) {
    agent_ = open_agent(op_, ssh_);
    // The keys are those of the build's agent alone; without this variable ssh looks for no agent.
    std::vector<std::string> environment;
    if (agent_) environment.push_back("SSH_AUTH_SOCK=" + agent_->short_path());
    git_.emplace(credentials(op_.remote, secrets_), std::move(environment), cancel_, say_);
  }
  return *git_;
}

}  // namespace solver
