// By /proc/PID/mem: process_vm_readv(2) is refused by many a sandbox around us.
#include "common/sandbox/asker_memory.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

// What follows NAME at the start of a line of /proc/PID/status, as numbers.
std::vector<std::uint32_t> numbers_of(std::string_view status, std::string_view name) {
  std::vector<std::uint32_t> numbers;
  const auto begin = status.find(name);
  if (begin == std::string_view::npos) return numbers;
  auto line = status.substr(begin + name.size());
  line = line.substr(0, line.find('\n'));
  std::size_t at = 0;
  while ((at = line.find_first_of("0123456789", at)) != std::string_view::npos) {
    const auto end = std::min(line.find_first_not_of("0123456789", at), line.size());
    numbers.push_back(static_cast<std::uint32_t>(util::parse_uint(line.substr(at, end - at)).value_or(0)));
    at = end;
  }
  return numbers;
}

// Told in octal.
mode_t umask_of(std::string_view status) {
  mode_t umask = 0;
  const auto begin = status.find("\nUmask:\t");
  if (begin == std::string_view::npos) return 022;  // before Linux 4.7
  for (const char c : status.substr(begin + 8)) {
    if (c < '0' || c > '7') break;
    umask = umask << 3 | static_cast<mode_t>(c - '0');
  }
  return umask;
}

// The bare calls concern this thread alone.
void set_groups(const std::vector<gid_t>& groups) noexcept {
  ::syscall(SYS_setgroups, groups.size(), groups.data());
}

}  // namespace

std::optional<Rights> rights_of(pid_t thread) {
  std::string status;
  try {
    status = sys::read_if_there("/proc/" + std::to_string(thread) + "/status");
  } catch (const util::Error&) {
    return std::nullopt;  // it ended while it was read
  }
  const auto process = numbers_of(status, "\nTgid:");
  const auto uids = numbers_of(status, "\nUid:");
  const auto gids = numbers_of(status, "\nGid:");
  if (process.size() != 1 || uids.size() != 4 || gids.size() != 4) return std::nullopt;
  return Rights{.process = static_cast<pid_t>(process[0]),
                .uid = uids[3],
                .gid = gids[3],
                .groups = numbers_of(status, "\nGroups:"),
                .umask = umask_of(status)};
}

ActingAs::ActingAs(const Rights& rights) noexcept {
  if (rights.uid == 0 && rights.gid == 0) return;
  changed_ = true;
  const int count = ::getgroups(0, nullptr);
  groups_.resize(static_cast<std::size_t>(std::max(count, 0)));
  if (::getgroups(count, groups_.data()) < 0) groups_.clear();
  set_groups(rights.groups);
  ::syscall(SYS_setfsgid, rights.gid);
  ::syscall(SYS_setfsuid, rights.uid);
}

ActingAs::~ActingAs() {
  if (!changed_) return;
  const int error = errno;
  ::syscall(SYS_setfsuid, 0);
  ::syscall(SYS_setfsgid, 0);
  set_groups(groups_);
  errno = error;
}

AskerMemory::AskerMemory(pid_t thread, const Rights& likely) {
  const auto path = "/proc/" + std::to_string(thread) + "/mem";
  const auto open_as = [&](const Rights& rights) {
    const ActingAs acting(rights);
    return sys::UniqueFd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  };
  fd_ = open_as(likely);
  if (fd_ || errno != EACCES) return;
  if (const auto rights = rights_of(thread)) fd_ = open_as(*rights);
}

AskerMemory AskerMemory::copy() const {
  AskerMemory other;
  other.fd_ = sys::UniqueFd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 3));
  return other;
}

bool AskerMemory::read_path(std::uint64_t address, std::string& text) const {
  text.clear();
  char part[512];
  while (text.size() < PATH_MAX) {
    // What follows on the next page may not be there.
    const auto next = address + text.size();
    const ssize_t count =
        ::pread(fd_.get(), part, sizeof part - next % sizeof part, static_cast<off_t>(next));
    if (count <= 0) return false;
    const auto size = static_cast<std::size_t>(count);
    if (const void* const end = std::memchr(part, 0, size)) {
      text.append(part, static_cast<std::size_t>(static_cast<const char*>(end) - part));
      return true;
    }
    text.append(part, size);
  }
  return false;
}

bool AskerMemory::read(std::uint64_t address, void* data, std::size_t size) const {
  return ::pread(fd_.get(), data, size, static_cast<off_t>(address)) == static_cast<ssize_t>(size);
}

bool AskerMemory::write(std::uint64_t address, const void* data, std::size_t size) const {
  return ::pwrite(fd_.get(), data, size, static_cast<off_t>(address)) == static_cast<ssize_t>(size);
}

}  // namespace sandbox
