// The memory of the processes that have asked before.
#pragma once

#include <sys/types.h>

#include <map>

#include "common/sandbox/asker_memory.hpp"

namespace sandbox {

// Keeps open what was once opened: that saves much of what a question costs, and a process that has changed
// its user, of which the kernel lets us open no more, can still be read.
class KnownMemory {
public:
  explicit KnownMemory(Rights likely) : likely_(std::move(likely)) {}

  // A path in the memory of a thread; null with nothing read if that is not to be had. What is given is as
  // good as `path` until the next call.
  const AskerMemory* read_path(pid_t thread, std::uint64_t address, std::string& path);

  // Writes into the memory of a thread; false if that cannot be.
  bool write(pid_t thread, std::uint64_t address, const void* data, std::size_t size);

  // To be called for a process that is about to have another memory.
  void forget(pid_t thread) { of_processes_.erase(thread); }

private:
  // The memory of the thread, once `use` has done something with it that failed for none before.
  template <typename Use>
  const AskerMemory* use_of(pid_t thread, const Use& use);
  void make_room();

  Rights likely_;
  // By the number of the process, which is nobody else's while it has threads. With the last one the memory
  // goes, so that who gets the number later is not taken for it.
  std::map<pid_t, AskerMemory> of_processes_;
  AskerMemory of_thread_;  // of the last that is not the first of its process
};

}  // namespace sandbox
