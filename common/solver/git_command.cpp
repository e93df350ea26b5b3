// git as a child process.
#include "common/solver/git_command.hpp"

#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/process.hpp"
#include "common/util/buffer.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

constexpr std::size_t output_limit = 64 << 20;

// Nothing of the machine's or the user's: PATH and proxies alone are taken over.
std::vector<std::string> clean_environment() {
  std::vector<std::string> environment = {
      "GIT_TERMINAL_PROMPT=0",
      "GIT_CONFIG_NOSYSTEM=1",
      "GIT_CONFIG_GLOBAL=/dev/null",
      "HOME=/dev/null",
      "LC_ALL=C",
      // A repository may name submodules that are reached by ssh: not with the machine's own keys and
      // settings. As BuildKit does, whatever host key the server shows is taken: there is nobody to ask.
      "GIT_SSH_COMMAND=ssh -F /dev/null -o IdentityFile=none -o BatchMode=yes -o StrictHostKeyChecking=no"
      " -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
  };
  for (const char* name : {"PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy",
                           "https_proxy", "no_proxy", "all_proxy"}) {
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  }
  return environment;
}

// Settings by environment: a command line is there for everybody to read.
void add_settings(const std::vector<std::string>& settings, std::vector<std::string>& environment) {
  std::size_t count = 0;
  for (const auto& setting : settings) {
    const auto equals = setting.find('=');
    const std::string number = std::to_string(count++);
    environment.push_back("GIT_CONFIG_KEY_" + number + "=" + setting.substr(0, equals));
    environment.push_back("GIT_CONFIG_VALUE_" + number + "=" + setting.substr(equals + 1));
  }
  environment.push_back("GIT_CONFIG_COUNT=" + std::to_string(count));
}

std::string escaped_lines(const std::string& text) {
  auto lines = util::split(text, '\n');
  for (auto& line : lines)
    line = util::escape(line);
  return util::join(lines, "\n");
}

}  // namespace

struct GitCommand::Ended {
  sys::ExitStatus status;
  std::string output;
  std::string errors;
};

GitCommand::GitCommand(std::vector<std::string> settings, std::vector<std::string> environment,
                       sys::Cancellation cancel, Say say)
    : settings_(std::move(settings)),
      environment_(std::move(environment)),
      cancel_(std::move(cancel)),
      say_(std::move(say)) {
  if (!sys::find_program("git"))
    throw util::Error("a git repository needs the program 'git', which is not on PATH: install git");
  // A repository may not name files of this machine as its submodules.
  settings_.emplace_back("protocol.file.allow=user");
  settings_.emplace_back("core.hooksPath=/dev/null");
  settings_.emplace_back("gc.auto=0");  // it would go on after its command has ended
}

GitCommand GitCommand::in(const std::filesystem::path& repository,
                          const std::filesystem::path& work_tree) const {
  GitCommand command = *this;
  command.repository_ = repository;
  command.work_tree_ = work_tree;
  return command;
}

std::string GitCommand::run(std::vector<std::string> arguments) const {
  for (;;) {
    auto ended = run_once(arguments);
    if (ended.status.success()) return std::move(ended.output);
    const auto says = [&](std::string_view text) { return ended.errors.find(text) != std::string::npos; };
    const auto depth = std::find(arguments.begin(), arguments.end(), "--depth=1");
    if (depth != arguments.end() && (says("--depth") || says("shallow"))) {
      arguments.erase(depth);
      continue;
    }
    if (arguments.front() == "fetch" && is_commit_id(arguments.back()) &&
        (says("not our ref") || says("unadvertised object"))) {
      arguments.pop_back();
      continue;
    }
    const bool redirected = says("The requested URL returned error: 30");
    throw util::Error(
        "git stderr:\n" + escaped_lines(ended.errors) + ": exit status " +
        std::to_string(ended.status.as_exit_code()) +
        (redirected ? "; a login is not taken along by a redirect: give the URL that it leads to" : ""));
  }
}

GitCommand::Ended GitCommand::run_once(const std::vector<std::string>& arguments) const {
  auto out = sys::make_pipe();
  auto error = sys::make_pipe();
  sys::Command command;
  command.argv = {"git"};
  if (!work_tree_.empty()) {
    // Some of git's commands take paths from where they run.
    command.argv.insert(command.argv.end(), {"-C", work_tree_, "--work-tree", work_tree_});
  }
  if (!repository_.empty()) command.argv.insert(command.argv.end(), {"--git-dir", repository_});
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = clean_environment();
  command.environment->insert(command.environment->end(), environment_.begin(), environment_.end());
  add_settings(settings_, *command.environment);
  command.stdout_fd = out.write_end.get();
  command.stderr_fd = error.write_end.get();
  command.umask = 022;  // the modes of a checkout must not depend on who builds
  auto child = sys::start(command);
  out.write_end = sys::UniqueFd();
  error.write_end = sys::UniqueFd();

  Ended ended;
  util::Buffer buffer(65536);
  // One end of file after the other: a poll of a closed pipe would spin.
  const auto take = [&](sys::UniqueFd& fd, std::string& text) {
    const std::size_t count = sys::read_some(fd.get(), buffer, "the output of git");
    if (count == 0) fd = sys::UniqueFd();
    if (text.size() + count > output_limit) throw util::Error("'git' printed too much");
    text.append(reinterpret_cast<const char*>(buffer.data()), count);
    return std::string_view(text).substr(text.size() - count);
  };
  while (out.read_end || error.read_end) {
    pollfd events[] = {{out.read_end.get(), POLLIN, 0}, {error.read_end.get(), POLLIN, 0}};
    try {
      cancel_.wait(events);
    } catch (const util::Error&) {
      child.terminate();
      throw;
    }
    if (events[0].revents != 0) take(out.read_end, ended.output);
    if (events[1].revents != 0) say_(take(error.read_end, ended.errors));
  }
  ended.status = child.wait(cancel_);
  return ended;
}

bool is_commit_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace solver
