// One process for each program: it starts the program, and tells the borrower how it ends.
#include "common/sandbox/lender.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>

#include "common/sandbox/lent_rights.hpp"

namespace sandbox {
namespace {

// Receives `size` bytes, and up to `most` descriptors with them, of which `count` tells how many there are.
bool receive(int socket, void* data, std::size_t size, int* descriptors, int most, int& count) noexcept {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * (most_lent_descriptors + 1))];
  iovec part{data, size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(sizeof(int) * static_cast<std::size_t>(most));
  ssize_t received = 0;
  while ((received = ::recvmsg(socket, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {}
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (received != static_cast<ssize_t>(size) || header == nullptr || header->cmsg_type != SCM_RIGHTS)
    return false;
  count = static_cast<int>((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  std::memcpy(descriptors, CMSG_DATA(header), sizeof(int) * static_cast<std::size_t>(count));
  return true;
}

bool read_all(int fd, char* data, std::uint64_t size) noexcept {
  while (size > 0) {
    const ssize_t count = ::read(fd, data, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    data += count;
    size -= static_cast<std::uint64_t>(count);
  }
  return true;
}

// Whether `request` is of one who may execute what `file` is.
bool may_execute(const LendRequest& request, int file) noexcept {
  struct stat wanted;
  struct stat found;
  if (::fstat(file, &wanted) != 0 || !S_ISREG(wanted.st_mode)) return false;
  if (::syscall(SYS_setgroups, request.groups, request.group_ids) != 0 ||
      ::syscall(SYS_setresgid, request.gid, request.gid, 0) != 0 ||
      ::syscall(SYS_setresuid, request.uid, request.uid, 0) != 0)
    return false;
  const bool may = ::access(request.path, X_OK) == 0 && ::stat(request.path, &found) == 0 &&
                   found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino;
  return ::syscall(SYS_setresuid, 0, 0, 0) == 0 && ::syscall(SYS_setresgid, 0, 0, 0) == 0 && may;
}

// What the file gives to one with these ids. False if that is nothing.
bool rights_of_file(const LendRequest& request, int file, Loan& loan) noexcept {
  struct stat status;
  if (::fstat(file, &status) != 0) return false;
  loan = {.file = static_cast<std::uint64_t>(file),
          .uid = request.uid,
          .effective_uid = (status.st_mode & S_ISUID) != 0 ? status.st_uid : request.uid,
          .gid = request.gid,
          .effective_gid = (status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0 ? status.st_gid
                                                                                              : request.gid,
          .permitted = 0,
          .effective = 0};
  vfs_ns_cap_data data{};
  const ssize_t size = ::fgetxattr(file, "security.capability", &data, sizeof data);
  if (size >= static_cast<ssize_t>(sizeof(vfs_cap_data)) && loan.effective_uid != 0) {
    loan.permitted = data.data[0].permitted | std::uint64_t{data.data[1].permitted} << 32;
    // The kernel executes no file that is to have what cannot be had.
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct own[2]{};
    ::syscall(SYS_capget, &header, own);
    loan.permitted &= own[0].permitted | std::uint64_t{own[1].permitted} << 32;
    if ((data.magic_etc & VFS_CAP_FLAGS_EFFECTIVE) != 0) loan.effective = loan.permitted;
  }
  return loan.effective_uid != loan.uid || loan.effective_gid != loan.gid || loan.permitted != 0;
}

char* write_number(char* at, std::uint64_t number) noexcept {
  char digits[16];
  int count = 0;
  do
    digits[count++] = "0123456789abcdef"[number % 16];
  while ((number /= 16) != 0);
  while (count > 0)
    *at++ = digits[--count];
  *at++ = ':';
  return at;
}

// The strings that a borrower sends, with pointers to them.
class Strings {
public:
  bool read(int channel, const BorrowerState& state) noexcept {
    if (state.bytes == 0 || state.bytes > most_lent_bytes || state.arguments == 0 ||
        state.arguments > state.bytes || state.variables > state.bytes)
      return false;
    const std::uint64_t pointers = state.arguments + std::uint64_t{state.variables} + 3;
    void* const memory = ::mmap(nullptr, state.bytes + pointers * sizeof(char*), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    arguments_ = static_cast<char**>(memory);
    variables_ = arguments_ + state.arguments + 1;
    char* text = reinterpret_cast<char*>(arguments_ + pointers);
    char* const end = text + state.bytes;
    if (!read_all(channel, text, state.bytes) || end[-1] != '\0') return false;
    for (std::uint64_t i = 0; i < state.arguments + std::uint64_t{state.variables}; ++i) {
      if (text == end) return false;
      (i < state.arguments ? arguments_[i] : variables_[i - state.arguments + 1]) = text;
      text += std::strlen(text) + 1;
    }
    return true;
  }

  char** arguments() const noexcept { return arguments_; }
  // The first is free.
  char** variables() const noexcept { return variables_; }

private:
  char** arguments_ = nullptr;
  char** variables_ = nullptr;
};

struct Borrower {
  int channel = -1;
  LendRequest request{};
  BorrowerState state{};
  Strings strings{};
  int descriptors[most_lent_descriptors + 1]{};  // the first is the working directory
};

// In the process that becomes the program.
void become(Borrower& borrower, Loan loan) noexcept {
  // Out of the way of the numbers they are to get.
  constexpr int high = lent_numbers;
  BorrowerState& state = borrower.state;
  for (unsigned i = 0; i < state.descriptors; ++i) {
    const int moved = ::fcntl(borrower.descriptors[i + 1], F_DUPFD_CLOEXEC, high);
    if (moved < 0) return;
    borrower.descriptors[i + 1] = moved;
  }
  const int file = ::fcntl(static_cast<int>(loan.file), F_DUPFD, high);
  if (file < 0 || ::fchdir(borrower.descriptors[0]) != 0) return;
  loan.file = static_cast<std::uint64_t>(file);
  for (int fd = 0; fd < high; ++fd)
    ::close(fd);
  for (unsigned i = 0; i < state.descriptors; ++i) {
    if (state.numbers[i] < 0 || state.numbers[i] >= high ||
        ::dup2(borrower.descriptors[i + 1], state.numbers[i]) < 0)
      return;
  }

  ::umask(state.umask);
  for (int signal = 1; signal < NSIG; ++signal)
    ::signal(signal, (state.ignored >> (signal - 1) & 1) != 0 ? SIG_IGN : SIG_DFL);
  for (int limit = 0; limit < lent_limits; ++limit) {
    const rlimit value{.rlim_cur = state.limits[limit][0], .rlim_max = state.limits[limit][1]};
    ::setrlimit(static_cast<__rlimit_resource>(limit), &value);
  }

  char text[1 + loan_numbers * 17 + sizeof borrower.request.path];
  text[0] = loan_prefix;
  char* at = text + 1;
  for (const auto number : {loan.file, loan.uid, loan.effective_uid, loan.gid, loan.effective_gid,
                            loan.permitted, loan.effective})
    at = write_number(at, number);
  std::strcpy(at, borrower.request.path);
  borrower.strings.variables()[0] = text;
  // Who has executed the program by its path finds that among the arguments, not where it was put instead.
  if (std::strcmp(borrower.strings.arguments()[0], borrower_path) == 0)
    borrower.strings.arguments()[0] = borrower.request.given;
  ::syscall(SYS_setgroups, borrower.request.groups, borrower.request.group_ids);
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &state.blocked, nullptr, sizeof state.blocked);
  ::execve(borrower_as_program, borrower.strings.arguments(), borrower.strings.variables());
}

[[noreturn]] void end(const Borrower& borrower, int signal, int code) noexcept {
  const LentEnd told{.signal = signal, .code = code};
  ::send(borrower.channel, &told, sizeof told, MSG_NOSIGNAL);
  ::_exit(0);
}

// Until the program ends, which it does with the borrower.
[[noreturn]] void wait_for(const Borrower& borrower, pid_t program, int ended) noexcept {
  for (;;) {
    pollfd events[] = {{borrower.channel, POLLIN, 0}, {ended, POLLIN, 0}};
    ::poll(events, 2, -1);
    int status = 0;
    if (::waitpid(program, &status, WNOHANG) == program)
      end(borrower, WIFSIGNALED(status) ? WTERMSIG(status) : 0, WEXITSTATUS(status));
    signalfd_siginfo information;
    while (::read(ended, &information, sizeof information) > 0) {}
    if (events[0].revents == 0) continue;
    std::int32_t signal = 0;
    const bool has_ended = ::read(borrower.channel, &signal, sizeof signal) != sizeof signal;
    ::syscall(SYS_kill, program, has_ended ? SIGKILL : signal);
    if (has_ended) ::_exit(0);
  }
}

[[noreturn]] void lend(Borrower& borrower) noexcept {
  constexpr int cannot_execute = 126;
  int count = 0;
  if (!receive(borrower.channel, &borrower.state, sizeof borrower.state, borrower.descriptors,
               most_lent_descriptors + 1, count) ||
      borrower.state.descriptors > most_lent_descriptors ||
      count != static_cast<int>(borrower.state.descriptors) + 1 ||
      !borrower.strings.read(borrower.channel, borrower.state))
    end(borrower, 0, cannot_execute);
  sigset_t of_children;
  ::sigemptyset(&of_children);
  ::sigaddset(&of_children, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &of_children, nullptr);
  ::signal(SIGCHLD, SIG_DFL);
  const int ended = ::signalfd(-1, &of_children, SFD_CLOEXEC | SFD_NONBLOCK);
  const int file = ::open(borrower.request.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  Loan loan;
  if (ended < 0 || file < 0 || !may_execute(borrower.request, file) ||
      !rights_of_file(borrower.request, file, loan))
    end(borrower, 0, cannot_execute);
  const auto program = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (program == 0) {
    become(borrower, loan);
    ::_exit(cannot_execute);
  }
  if (program < 0) end(borrower, 0, cannot_execute);
  for (unsigned i = 0; i <= borrower.state.descriptors; ++i)
    ::close(borrower.descriptors[i]);
  wait_for(borrower, program, ended);
}

}  // namespace

void run_lender(int requests) noexcept {
  ::signal(SIGCHLD, SIG_IGN);  // the kernel reaps them
  static Borrower borrower;
  int count = 0;
  while (receive(requests, &borrower.request, sizeof borrower.request, &borrower.channel, 1, count)) {
    if (::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0) {
      ::close(requests);
      lend(borrower);
    }
    ::close(borrower.channel);
  }
  ::_exit(0);
}

}  // namespace sandbox
