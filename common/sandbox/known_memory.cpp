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

template <typename Use>
const AskerMemory* KnownMemory::use_of(pid_t thread, const Use& use) {
  if (const auto known = of_processes_.find(thread); known != of_processes_.end()) {
    if (use(known->second)) return &known->second;
    of_processes_.erase(known);  // of a process that has ended, or was executed anew
  }
  AskerMemory opened(thread, likely_);
  if (!opened.is_open()) {
    // Another thread of a process that cannot be read any more.
    const auto rights = rights_of(thread);
    const auto known = rights ? of_processes_.find(rights->process) : of_processes_.end();
    return known != of_processes_.end() && use(known->second) ? &known->second : nullptr;
  }
  if (!use(opened)) return nullptr;
  if (!is_first_of_process(thread)) {
    of_thread_ = std::move(opened);
    return &of_thread_;
  }
  make_room();
  return &of_processes_.emplace(thread, std::move(opened)).first->second;
}

const AskerMemory* KnownMemory::read_path(pid_t thread, std::uint64_t address, std::string& path) {
  return use_of(thread, [&](const AskerMemory& memory) { return memory.read_path(address, path); });
}

bool KnownMemory::write(pid_t thread, std::uint64_t address, const void* data, std::size_t size) {
  return use_of(thread, [&](const AskerMemory& memory) { return memory.write(address, data, size); }) !=
         nullptr;
}

void KnownMemory::make_room() {
  if (of_processes_.size() < most) return;
  std::erase_if(of_processes_,
                [](const auto& known) { return ::kill(known.first, 0) != 0 && errno == ESRCH; });
  if (of_processes_.size() >= most) of_processes_.clear();
}

}  // namespace sandbox
