// What buildctl says while it builds.
#pragma once

#include <string>
#include <string_view>

#include "common/sys/fd.hpp"
#include "common/sys/thread.hpp"

namespace buildkit {

// True for a line that buildctl prints about itself and that says nothing about the build.
bool is_noise(std::string_view line);

// True for what buildctl shows at the end of a step whose program the kernel did not know.
bool is_unknown_program(std::string_view line);

// Copies what a child writes to fd() line by line to our stderr, without the noise, in a thread of its own.
class Progress {
public:
  Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // Waits for the end as well.
  ~Progress();

  int fd() const noexcept { return pipe_.write_end.get(); }

  // Why the build failed, as buildctl said at last; empty if it did not. To be asked after finish().
  const std::string& failure() const noexcept { return failure_; }

  // True if that is because the kernel did not know the program of a step. To be asked after finish().
  bool met_unknown_program() const noexcept { return met_unknown_program_; }

  // Gives up fd(), waits until its last holder has closed it and everything is copied. Throws util::Error.
  void finish();

private:
  void copy();

  sys::Pipe pipe_;
  std::string failure_;
  bool met_unknown_program_ = false;
  sys::Thread copier_;  // the last member: it uses the others
};

}  // namespace buildkit
