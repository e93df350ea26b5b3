#include "common/sandbox/lending.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/sandbox/lent_rights.hpp"
#include "common/sandbox/trapped_calls.hpp"
#include "common/sys/proc.hpp"

asm(".pushsection .rodata\n"
    ".globl oci_build_borrower, oci_build_borrower_end\n"
    "oci_build_borrower: .incbin \"" OCI_BUILD_BORROWER
    "\"\n"
    "oci_build_borrower_end:\n"
    ".popsection\n");

extern "C" const char oci_build_borrower[];
extern "C" const char oci_build_borrower_end[];

namespace sandbox {
namespace {

bool has_capabilities(int file) {
  return ::getxattr(sys::link_of(file).c_str(), "security.capability", nullptr, 0) > 0;
}

// The borrower enters programs of its own architecture alone.
bool is_native_program(int file) {
  const sys::UniqueFd opened(::open(sys::link_of(file).c_str(), O_RDONLY | O_CLOEXEC));
  Elf64_Ehdr header{};
  constexpr auto machine = native_architecture == AUDIT_ARCH_X86_64 ? EM_X86_64 : EM_AARCH64;
  return opened && ::pread(opened.get(), &header, sizeof header, 0) == static_cast<ssize_t>(sizeof header) &&
         std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
         header.e_machine == machine;
}

bool may_execute(const struct stat& status, const Rights& rights) {
  mode_t bits = S_IXOTH;
  if (rights.uid == 0)
    bits = S_IXUSR | S_IXGRP | S_IXOTH;
  else if (rights.uid == status.st_uid)
    bits = S_IXUSR;
  else if (rights.gid == status.st_gid ||
           std::find(rights.groups.begin(), rights.groups.end(), status.st_gid) != rights.groups.end())
    bits = S_IXGRP;
  return (status.st_mode & bits) != 0;
}

// The kernel gives scripts nothing.
bool is_script(int file) {
  const sys::UniqueFd opened(::open(sys::link_of(file).c_str(), O_RDONLY | O_CLOEXEC));
  char begin[2];
  return opened && ::pread(opened.get(), begin, sizeof begin, 0) == 2 && std::memcmp(begin, "#!", 2) == 0;
}

}  // namespace

std::string_view borrower_program() noexcept {
  return {oci_build_borrower, static_cast<std::size_t>(oci_build_borrower_end - oci_build_borrower)};
}

bool may_give_rights(int file) {
  struct stat status;
  return ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
         ((status.st_mode & (S_ISUID | S_ISGID)) != 0 || has_capabilities(file));
}

Gives gives(int file, const Rights& rights) {
  struct stat status;
  if (::fstat(file, &status) != 0 || !may_execute(status, rights)) return Gives::nothing;
  const bool has_user = (status.st_mode & S_ISUID) != 0 && status.st_uid != rights.uid;
  const bool has_group =
      (status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0 && status.st_gid != rights.gid;
  if (!has_user && !has_group && (rights.uid == 0 || !has_capabilities(file))) return Gives::nothing;
  if (is_script(file)) return Gives::nothing;
  return is_native_program(file) ? Gives::rights : Gives::what_cannot_be_lent;
}

bool Lending::lend(const Rights& rights, const Program& program) {
  if (!lender_ || program.given.size() + 1 < sizeof borrower_path ||
      program.given.size() >= sizeof LendRequest::given || program.name.size() >= sizeof LendRequest::path ||
      rights.groups.size() > LendRequest::most_groups)
    return false;
  auto memory = program.memory.copy();
  if (!memory.is_open() || !memory.write(program.address, borrower_path, sizeof borrower_path)) return false;
  borrowings_.insert_or_assign(rights.process, Borrowing{.rights = rights,
                                                         .name = program.name,
                                                         .given = program.given,
                                                         .address = program.address,
                                                         .memory = std::move(memory)});
  return true;
}

void Lending::settle(pid_t process) {
  if (borrowings_.empty()) return;
  const auto found = borrowings_.find(process);
  if (found == borrowings_.end() || std::exchange(found->second.is_settled, true)) return;
  const auto& borrowing = found->second;
  borrowing.memory.write(borrowing.address, borrowing.given.c_str(), sizeof borrower_path);
}

Answer Lending::channel(pid_t process) {
  const auto found = borrowings_.find(process);
  if (found == borrowings_.end()) return {.error = ENOENT};
  const auto borrowing = std::move(found->second);
  borrowings_.erase(found);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return {.error = errno};
  sys::UniqueFd ours(ends[0]);
  const sys::UniqueFd theirs(ends[1]);
  LendRequest request{};
  request.uid = borrowing.rights.uid;
  request.gid = borrowing.rights.gid;
  request.groups = static_cast<std::uint32_t>(borrowing.rights.groups.size());
  std::copy(borrowing.rights.groups.begin(), borrowing.rights.groups.end(), request.group_ids);
  borrowing.name.copy(request.path, sizeof request.path - 1);
  borrowing.given.copy(request.given, sizeof request.given - 1);

  iovec data{&request, sizeof request};
  const int sent = theirs.get();
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof sent)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof sent);
  std::memcpy(CMSG_DATA(header), &sent, sizeof sent);
  // Whoever has stopped the lender shall not stop us.
  if (::sendmsg(lender_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) != static_cast<ssize_t>(sizeof request))
    return {.error = EPERM};
  return {.kind = Answer::Kind::descriptor, .file = std::move(ours), .closes_at_exec = true};
}

}  // namespace sandbox
