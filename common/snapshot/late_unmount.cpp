// Whoever lets go of a filesystem last takes it apart, before anything else, even when it ends: a process can
// leave that to nobody. But a file that an asynchronous operation has open is closed by a thread of the
// kernel when the operation is cancelled, and it is cancelled when the process ends. So a FIFO of the
// filesystem is waited for, in which nothing will ever come.
#include "common/snapshot/late_unmount.hpp"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "common/sys/fd.hpp"

namespace snapshot {
namespace {

// A FIFO below `directory`, open for reading alone, as asynchronous operations wait for one thing only.
sys::UniqueFd make_fifo(const std::filesystem::path& directory) {
  const sys::UniqueFd parent(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::uint64_t random = 0;
  if (!parent || ::getrandom(&random, sizeof random, 0) != sizeof random) return sys::UniqueFd();
  const std::string name = ".unmounted-" + std::to_string(random);
  if (::mkfifoat(parent.get(), name.c_str(), 0600) != 0) return sys::UniqueFd();
  return sys::UniqueFd(::openat(parent.get(), name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
}

// True if the kernel has the file open until this process ends.
bool hold(int fd) noexcept {
  aio_context_t context = 0;
  if (::syscall(SYS_io_setup, 1, &context) != 0) return false;
  iocb wait{};
  wait.aio_fildes = static_cast<std::uint32_t>(fd);
  wait.aio_lio_opcode = IOCB_CMD_POLL;
  wait.aio_buf = POLLIN;
  iocb* waits[] = {&wait};
  if (::syscall(SYS_io_submit, context, 1, waits) == 1) return true;
  ::syscall(SYS_io_destroy, context);
  return false;
}

}  // namespace

bool unmount_after_end(const std::filesystem::path& target) noexcept try {
  auto fifo = make_fifo(target);
  if (!fifo || !hold(fifo.get())) return false;
  fifo = sys::UniqueFd();
  return ::umount2(target.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
} catch (...) {  // no memory
  return false;
}

}  // namespace snapshot
