// The thread that answers a step's system calls in isolation "chroot".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/sandbox/answers.hpp"
#include "common/sandbox/mount_table.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/thread.hpp"

namespace sandbox {

// Serves until it is destroyed, or nobody is left who could ask. What it cannot read or do itself is left to
// the kernel, which finds in the step's root what is there.
class Supervisor {
public:
  struct Step {
    std::string root;  // the path of its root
    pid_t keeper = 0;
    pid_t lender = 0;
    Rights user = {};         // whom it begins as
    std::string working_dir;  // where it begins
    std::string hostname;
    std::vector<StepMount> mounts = {};
    // Names in /proc and /sys where its root has something of its own: with all below them they are left to
    // the kernel.
    std::vector<std::string> own_names = {};
  };

  // `listener` is that of supervised_filter(), `lender` leads to run_lender(). Throws util::Error.
  Supervisor(sys::UniqueFd listener, sys::UniqueFd lender, const Step& step);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  // To be called when the step has ended: names of programs that it has executed without the rights that
  // their files give (setuid, setgid, capabilities), because nobody could lend them.
  std::vector<std::string> finish();

private:
  class Server;

  sys::UniqueFd stop_;  // an event
  std::unique_ptr<Server> server_;
  sys::Thread thread_;
};

}  // namespace sandbox
