#include "common/sandbox/known_memory.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace sandbox {
namespace {

constexpr std::size_t most = 128;  // descriptors of ours

bool is_first_of_process(pid_t thread) {
  return ::syscall(SYS_tgkill, thread, thread, 0) == 0 || errno == EPERM;
}

}  // namespace

const AskerMemory* KnownMemory::read_path(pid_t thread, std::uint64_t address, std::string& path) {
  if (const auto known = of_processes_.find(thread); known != of_processes_.end()) {
    if (known->second.read_path(address, path)) return &known->second;
    of_processes_.erase(known);  // of a process that has ended, or was executed anew
  }
  AskerMemory opened(thread, likely_);
  if (!opened.is_open()) {
    // Another thread of a process that cannot be read any more.
    const auto rights = rights_of(thread);
    const auto known = rights ? of_processes_.find(rights->process) : of_processes_.end();
    return known != of_processes_.end() && known->second.read_path(address, path) ? &known->second : nullptr;
  }
  if (!opened.read_path(address, path)) return nullptr;
  if (!is_first_of_process(thread)) {
    of_thread_ = std::move(opened);
    return &of_thread_;
  }
  make_room();
  return &of_processes_.emplace(thread, std::move(opened)).first->second;
}

void KnownMemory::make_room() {
  if (of_processes_.size() < most) return;
  std::erase_if(of_processes_,
                [](const auto& known) { return ::kill(known.first, 0) != 0 && errno == ESRCH; });
  if (of_processes_.size() >= most) of_processes_.clear();
}

}  // namespace sandbox
