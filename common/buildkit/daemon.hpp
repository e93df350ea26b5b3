// A buildkitd of our own, which lives for one build.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/document/request.hpp"
#include "common/sys/process.hpp"
#include "common/sys/work_dir.hpp"

namespace buildkit {

// How long buildkitd may take until it answers.
inline constexpr std::chrono::seconds default_start_limit(60);

// A running buildkitd: its state and sockets in a directory of its own below `work_dir`, mode 0700; no
// network address. It and all it starts run in private mounts; the calling process enters these too and
// adopts orphaned descendants from then on. Without root it runs under rootlesskit.
class Daemon {
public:
  // Returns when the daemon answers. Throws Error when a program it needs is missing, the machine does not
  // let it run, it dies (with the end of its log) or does not answer within `start_limit`.
  Daemon(const document::Request& request, const std::filesystem::path& work_dir,
         std::chrono::milliseconds start_limit);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  // stop(), with its error as a warning.
  ~Daemon();

  const document::RemoteEngine& address() const noexcept { return address_; }

  // Throws Error with the end of the log if the daemon has died.
  void check_alive();

  // SIGTERM, after ten seconds SIGKILL; then no process, mount, container or file of it is left. Throws Error
  // naming what cannot be removed.
  void stop();

private:
  std::vector<std::string> command_line(const document::Request& request) const;
  void start(const document::Request& request);
  void wait_until_ready(std::chrono::milliseconds limit);
  [[noreturn]] void throw_died(const std::string& when, const sys::ExitStatus& status) const;
  std::string end_of_log() const;
  void stop_quietly() noexcept;
  void delete_containers() const;
  void remove_state();

  bool rootless_;
  std::optional<sys::WorkDir> directory_;
  std::optional<sys::WorkDir> short_directory_;  // where `work_dir` is too long a path for sockets
  std::filesystem::path temporary_;              // the daemon's TMPDIR
  std::filesystem::path socket_;
  document::RemoteEngine address_;
  std::optional<sys::Child> child_;
};

// The environment of the daemon, out of ours: without what holds secrets of the build, and with step output
// neither clipped nor slowed down.
std::vector<std::string> daemon_environment(const document::Request& request,
                                            const std::vector<std::string>& environment,
                                            const std::filesystem::path& temporary_directory);

}  // namespace buildkit
