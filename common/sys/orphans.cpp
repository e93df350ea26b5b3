// A child subreaper, and a search of /proc.
#include "common/sys/orphans.hpp"

#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sys {
namespace {

using namespace std::chrono_literals;

// The parent of a process, 0 if it has ended meanwhile.
pid_t parent_of(const std::filesystem::path& process) {
  try {
    const auto stat = read_file(process / "stat");
    // "PID (NAME) STATE PPID ...", where NAME may hold anything, parentheses too.
    const auto fields = util::split(std::string_view(stat).substr(stat.rfind(')') + 1), ' ');
    return fields.size() > 2 ? static_cast<pid_t>(util::parse_uint(fields[2]).value_or(0)) : 0;
  } catch (const util::Error&) {
    return 0;
  }
}

// /proc/self/task/TID/children would say it at once, but not every kernel is built with it.
std::vector<pid_t> children() {
  std::vector<pid_t> found;
  for (const auto& entry : entries_of("/proc")) {
    const auto pid = util::parse_uint(entry.filename().string());
    if (pid && parent_of(entry) == ::getpid()) found.push_back(static_cast<pid_t>(*pid));
  }
  return found;
}

}  // namespace

void adopt_orphans() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) util::throw_errno("cannot adopt orphaned processes");
}

void kill_children() {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  for (;;) {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {}
    const auto left = children();
    if (left.empty()) return;
    if (std::chrono::steady_clock::now() > deadline) {
      throw util::Error("cannot kill process " + std::to_string(left.front()));
    }
    for (const pid_t pid : left)
      ::kill(pid, SIGKILL);
    std::this_thread::sleep_for(1ms);
  }
}

}  // namespace sys
