// Agents and keys by OpenSSH's programs.
#include "common/solver/ssh_agents.hpp"

#include <fcntl.h>

#include <cstdlib>

#include "common/engine/advice.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/proc.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

namespace fs = std::filesystem;

void require(const std::string& program) {
  if (sys::find_program(program)) return;
  throw util::Error("BUILDKIT_SSH: keys need the program " + util::quote(program) +
                    ", which is not on PATH: install OpenSSH's client, or give the socket of an agent");
}

// Of the variables of a build, which hold its secrets, these programs get none other.
std::vector<std::string> search_path_alone() {
  const char* const path = std::getenv("PATH");
  return path == nullptr ? std::vector<std::string>() : std::vector{std::string("PATH=") + path};
}

}  // namespace

SshAgents::SshAgents(const std::vector<document::Ssh>& given, fs::path directory)
    : directory_(std::move(directory)) {
  for (const auto& ssh : given)
    agents_.emplace(ssh.id, make_agent(ssh));
}

SshAgents::~SshAgents() = default;

std::unique_ptr<AgentSocket> SshAgents::open(const std::string& id, const AgentSocket::Access& access) const {
  const auto agent = agents_.find(id);
  if (agent == agents_.end()) return nullptr;
  return std::make_unique<AgentSocket>(agent->second.socket, agent->second.forwarding, directory_, access);
}

std::string SshAgents::absence(const std::string& id, const std::string& named) const {
  const std::string what = agents_.empty()
                               ? "no SSH key \"" + util::escape(named) + "\" forwarded from the client"
                               : "unset ssh forward key " + util::escape(id);
  return what + "; " + engine::ssh_advice(id);
}

SshAgents::Agent SshAgents::make_agent(const document::Ssh& ssh) {
  if (ssh.env) {
    const char* key = std::getenv(ssh.env->c_str());
    if (key == nullptr) throw util::Error(*ssh.env + " is not set, though the request names it");
    const auto agent = start_agent();
    // Keys end in a newline, which a parameter may have lost.
    add_key(agent, std::string(key) + "\n", *ssh.env);
    return {agent, Forwarding::restricted};
  }
  if (ssh.paths.empty()) {
    const char* socket = std::getenv("SSH_AUTH_SOCK");
    if (socket == nullptr)
      throw util::Error("BUILDKIT_SSH: " + util::quote(ssh.id) +
                        " means the agent of SSH_AUTH_SOCK, which is not set");
    return {socket, Forwarding::restricted};
  }
  const auto& first = ssh.paths.front();
  const auto status = util::with_context("BUILDKIT_SSH", [&] { return sys::find_status(first); });
  if (status && S_ISSOCK(status->st_mode))
    return {sys::absolute_path(first), ssh.raw ? Forwarding::raw : Forwarding::restricted};
  const auto agent = start_agent();
  for (const auto& path : ssh.paths) {
    const std::string name = "BUILDKIT_SSH: " + util::quote(path.string());
    add_key(agent, util::with_context("BUILDKIT_SSH", [&] { return sys::read_file(path); }), name);
  }
  return {agent, Forwarding::restricted};
}

fs::path SshAgents::start_agent() {
  require("ssh-agent");
  require("ssh-add");
  own_.push_back({.directory = sys::TempDir(directory_, "agent-"), .process = std::nullopt});
  auto& own = own_.back();
  const fs::path socket = own.directory.path() / "socket";
  const sys::UniqueFd directory(::open(own.directory.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) util::throw_errno("cannot open " + util::quote(own.directory.path().string()));
  auto output = sys::make_pipe();
  sys::Command command;
  // By the descriptor: the name of a socket must be short. In the foreground it is our child and ends with
  // us.
  command.argv = {"ssh-agent", "-D", "-a", sys::link_of(directory.get()) + "/socket"};
  command.environment = search_path_alone();
  command.kept_fds = {directory.get()};
  command.stdout_fd = output.write_end.get();
  own.process.emplace(sys::start(command));
  output.write_end = sys::UniqueFd();
  // It says where it listens once it does.
  std::byte first;
  if (sys::read_some(output.read_end.get(), {&first, 1}, "the output of ssh-agent") == 0)
    throw util::Error("BUILDKIT_SSH: 'ssh-agent' " + own.process->wait().describe());
  return socket;
}

void SshAgents::add_key(const fs::path& agent, const std::string& key, const std::string& name) {
  const sys::UniqueFd directory(::open(agent.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) util::throw_errno("cannot open " + util::quote(agent.parent_path().string()));
  const sys::UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  sys::Command command;
  command.argv = {"ssh-add", "-q", "-"};
  command.environment = search_path_alone();
  command.environment->push_back("SSH_AUTH_SOCK=/proc/self/fd/" + std::to_string(directory.get()) +
                                 "/socket");
  // Who would be asked for a passphrase says none.
  command.environment->emplace_back("SSH_ASKPASS=/bin/false");
  command.environment->emplace_back("SSH_ASKPASS_REQUIRE=force");
  command.kept_fds = {directory.get()};
  command.stderr_fd = null.get();
  if (!sys::run_captured(command, key).status.success()) {
    throw util::Error(name +
                      " is no private key that can be used: it must be whole and have no passphrase; "
                      "for others give the socket of an agent");
  }
}

}  // namespace solver
