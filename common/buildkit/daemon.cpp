// Start, readiness and end of buildkitd.
#include "common/buildkit/daemon.hpp"

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "common/buildkit/cgroups.hpp"
#include "common/buildkit/daemon_config.hpp"
#include "common/buildkit/programs.hpp"
#include "common/buildkit/readiness.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/orphans.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace buildkit {
namespace {

using namespace std::chrono_literals;

constexpr auto log_name = "buildkitd.log";
constexpr auto root_name = "root";
constexpr std::size_t shown_log_lines = 20;
constexpr std::size_t longest_log_line = 2000;
constexpr off_t read_of_log = 256 << 10;

// For RUN --mount=type=ssh, buildkitd makes a socket of such a name below its TMPDIR.
constexpr std::string_view longest_socket = "/.buildkit-ssh-sock4294967295/ssh_auth_sock";

bool has_room_for_sockets(const std::filesystem::path& directory) {
  return directory.string().size() + longest_socket.size() < sizeof(sockaddr_un::sun_path);
}

// Makes mounts of the daemon invisible outside, and the machine fit for it.
void prepare_machine() {
  sys::adopt_orphans();
  if (!sys::enter_private_mounts()) {
    throw util::Error(
        "BuildKit cannot run here: this container may not mount anything; set 'privileged: true' on the "
        "task, or "
        "BUILDKIT_HOST to an engine elsewhere");
  }
  mount_missing_cgroups();
}

// Enough for the lines that are shown; all of it may be gigabytes.
std::string read_end(const std::filesystem::path& log) {
  const auto file = sys::open_readable(log);
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  if (size < 0 || ::lseek(file.get(), std::max<off_t>(0, size - read_of_log), SEEK_SET) < 0)
    util::throw_errno("cannot read " + util::quote(log.string()));
  return sys::read_to_end(file.get(), util::quote(log.string()), 2 * read_of_log);
}

}  // namespace

std::vector<std::string> daemon_environment(const document::Request& request,
                                            const std::vector<std::string>& environment,
                                            const std::filesystem::path& temporary_directory) {
  // Those that are set below, and those of a service manager that did not start this daemon.
  std::set<std::string> dropped = {
      "TMPDIR",    "BUILDKIT_STEP_LOG_MAX_SIZE", "BUILDKIT_STEP_LOG_MAX_SPEED", "NOTIFY_SOCKET", "LISTEN_FDS",
      "LISTEN_PID"};
  for (const auto& secret : request.secrets) {
    if (secret.env) dropped.insert(*secret.env);
  }
  for (const auto& ssh : request.ssh) {
    if (ssh.env) dropped.insert(*ssh.env);
  }
  std::vector<std::string> result;
  for (const auto& variable : environment) {
    if (!dropped.contains(variable.substr(0, variable.find('=')))) result.push_back(variable);
  }
  result.push_back("TMPDIR=" + temporary_directory.string());
  result.push_back("BUILDKIT_STEP_LOG_MAX_SIZE=-1");
  result.push_back("BUILDKIT_STEP_LOG_MAX_SPEED=-1");
  return result;
}

Daemon::Daemon(const document::Request& request, const std::filesystem::path& work_dir,
               std::chrono::milliseconds start_limit)
    : rootless_(::geteuid() != 0) {
  // Without symlinks and absolute: mount points are compared with it.
  directory_.emplace(sys::resolved_path(work_dir), "bk-");
  if (!has_room_for_sockets(directory_->path())) short_directory_.emplace("/tmp", "oci-socket-");
  temporary_ = (short_directory_ ? *short_directory_ : *directory_).path();
  socket_ = temporary_ / "buildkitd.sock";
  address_.host = "unix://" + socket_.string();
  const DaemonSettings settings{
      .root = directory_->path() / root_name,
      .socket = socket_,
      .otel_socket = temporary_ / "otel.sock",
      .runtime = find_runtime(),
      .registry_mirrors = request.registry_mirrors,
  };
  sys::write_file(directory_->path() / "buildkitd.toml", daemon_config(settings, request.buildkit_config),
                  0600);
  try {
    start(request);
    wait_until_ready(start_limit);
  } catch (...) {
    stop_quietly();
    throw;
  }
}

Daemon::~Daemon() {
  stop_quietly();
}

void Daemon::stop_quietly() noexcept {
  try {
    stop();
  } catch (const std::exception& error) {
    util::log::warning(error.what());
  }
}

std::vector<std::string> Daemon::command_line(const document::Request& request) const {
  std::vector<std::string> argv;
  if (rootless_) {
    argv = {find_rootlesskit().string(), "--state-dir=" + (directory_->path() / "rootlesskit").string()};
  }
  argv.push_back(find_part("buildkitd").string());
  argv.push_back("--config=" + (directory_->path() / "buildkitd.toml").string());
  if (rootless_) argv.insert(argv.end(), {"--rootless", "--oci-worker-rootless"});
  for (const auto entitlement : request.entitlements)
    argv.push_back("--allow-insecure-entitlement=" + std::string(to_string(entitlement)));
  if (request.debug) argv.emplace_back("--debug");
  return argv;
}

void Daemon::start(const document::Request& request) {
  sys::Command command;
  command.argv = command_line(request);
  command.environment = daemon_environment(request, sys::own_environment(), temporary_);
  if (rootless_) {
    // runc and buildkitd keep their state there, and no session of this user needs to exist.
    command.environment->push_back("XDG_RUNTIME_DIR=" + directory_->path().string());
    sys::adopt_orphans();
  } else {
    prepare_machine();
  }
  const auto log_path = directory_->path() / log_name;
  const sys::UniqueFd log(::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log) util::throw_errno("cannot create " + util::quote(log_path.string()));
  // For debugging the log is seen as it comes.
  const int sink = request.debug ? STDERR_FILENO : log.get();
  command.stdout_fd = sink;
  command.stderr_fd = sink;
  util::log::debug("starting " + util::join(command.argv, " "));
  child_.emplace(sys::start(command));
}

void Daemon::wait_until_ready(std::chrono::milliseconds limit) {
  const auto begin = std::chrono::steady_clock::now();
  const auto deadline = begin + limit;
  while (!answers(socket_, 100ms)) {
    if (const auto status = child_->wait_for(5ms)) throw_died("while starting", *status);
    if (std::chrono::steady_clock::now() > deadline) {
      throw util::Error("buildkitd did not answer within " +
                        std::to_string(std::chrono::ceil<std::chrono::seconds>(limit).count()) + " s" +
                        end_of_log());
    }
  }
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  util::log::debug("buildkitd answers after " + std::to_string(elapsed.count()) + " ms");
}

void Daemon::check_alive() {
  // The kernel closes the socket of a process before its parent can see it end.
  if (answers(socket_, 100ms)) return;
  if (const auto status = child_->wait_for(2s)) throw_died("during the build", *status);
}

void Daemon::throw_died(const std::string& when, const sys::ExitStatus& status) const {
  throw util::Error("buildkitd died " + when + " (it " + status.describe() + ")" + end_of_log());
}

std::string Daemon::end_of_log() const {
  auto lines = util::split(util::trim(read_end(directory_->path() / log_name)), '\n');
  if (lines.size() > shown_log_lines) lines.erase(lines.begin(), lines.end() - shown_log_lines);
  std::string text;
  for (const auto& line : lines) {
    if (!line.empty()) text += "\n  " + util::escape(line, longest_log_line);
  }
  return text.empty() ? "" : "; the end of its log:" + text;
}

// A daemon that was killed leaves its containers: their processes, cgroups and runc's record of them.
void Daemon::delete_containers() const {
  for (const auto& worker : sys::readable_entries_of(directory_->path() / root_name)) {
    for (const auto& container : sys::readable_entries_of(worker / "executor")) {
      if (!sys::leads_to_directory(container)) continue;
      sys::Command command;
      command.argv = {find_runtime().string(), "delete", "--force", container.filename().string()};
      const sys::UniqueFd sink(::open("/dev/null", O_WRONLY | O_CLOEXEC));
      command.stdout_fd = sink.get();
      command.stderr_fd = sink.get();  // most of these directories are of no container
      sys::start(command).finish(10s);
    }
  }
}

void Daemon::stop() {
  if (!directory_) return;
  if (child_) {
    const auto status = child_->terminate();
    child_.reset();
    if (status.signal != 0 && !rootless_) delete_containers();
    sys::kill_children();
  }
  remove_state();
  directory_.reset();
  short_directory_.reset();
}

void Daemon::remove_state() {
  if (!rootless_) {
    sys::unmount_below(directory_->path());
    sys::unmount_below(temporary_);
    sys::discard_tree(directory_->path());
    return;
  }
  // Much of it belongs to ids that are ours only inside a user namespace.
  sys::Command command;
  command.argv = {find_rootlesskit().string(), "--state-dir=" + (directory_->path() / "remove").string(),
                  "rm", "-rf", (directory_->path() / root_name).string()};
  sys::start(command).finish(60s);
  sys::discard_tree(directory_->path());
}

}  // namespace buildkit
