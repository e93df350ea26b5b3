// One function for each kind of question.
#include "common/sandbox/answers.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <optional>

#include "common/sandbox/changes.hpp"
#include "common/sandbox/compat_status.hpp"
#include "common/sandbox/mount_table.hpp"
#include "common/sandbox/root_links.hpp"
#include "common/sys/file.hpp"
#include "common/sys/proc.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

using Variant = TrappedCall::Variant;
using Kind = SystemPath::Kind;

Answer refusal(int error) {
  return {.error = error};
}

class Answering {
public:
  Answering(const Asked& asked, const SystemPath& system, const SupervisedRoot& root)
      : asked_(asked), system_(system), root_(root) {}

  Answer answer() {
    if (system_.process != 0 && !is_own(system_.process)) return refusal(ENOENT);
    // These two change the root besides, which is ours to do.
    if (asked_.call.question == Question::enter) return enter();
    if (asked_.call.question == Question::execute) return execute();
    if (asked_.call.question == Question::open && system_.path == "/proc") {
      const int listed = list_processes(root_);
      return listed == 0 ? Answer{.kind = Answer::Kind::from_root} : refusal(listed);
    }
    const ActingAs acting(asked_.rights);
    switch (asked_.call.question) {
      case Question::open:
      case Question::open_how:
        return open();
      case Question::status:
        return status();
      case Question::statx:
        return extended_status();
      case Question::access:
        return access();
      case Question::link_target:
        return link_target();
      case Question::filesystem:
        return filesystem();
      default:
        return {.kind = Answer::Kind::from_root};
    }
  }

private:
  std::uint64_t argument(int after_path) const {
    return asked_.arguments[asked_.call.path_argument() + 1 + after_path];
  }

  bool is_own(pid_t process) const { return root_.has(process); }

  // The path on this machine; for what lies behind a link, that of a descriptor of it.
  const char* path() {
    switch (system_.kind) {
      case Kind::behind_link:
        place_ = open_behind(root_, system_);
        if (!place_) return errno = ENOENT, nullptr;
        place_path_ = sys::link_of(place_.get());
        return place_path_.c_str();
      case Kind::link:
        return "/proc/self";
      default:
        return system_.path.c_str();
    }
  }

  std::optional<std::string> target_of(const std::string& link) const {
    char target[PATH_MAX];
    const ssize_t size = ::readlink(link.c_str(), target, sizeof target);
    if (size < 0) return std::nullopt;
    return seen_from(root_, {target, static_cast<std::size_t>(size)});
  }

  bool stat_of(struct stat& status, bool kept) {
    const char* const name = path();
    if (name == nullptr) return false;
    kept = (kept && system_.kind != Kind::behind_link) || system_.kind == Kind::link;
    return ::fstatat(AT_FDCWD, name, &status, kept ? AT_SYMLINK_NOFOLLOW : 0) == 0;
  }

  // --- open ---

  Answer open() {
    open_how how{};
    if (asked_.call.question == Question::open_how) {
      if (argument(1) < sizeof how || !asked_.memory.read(argument(0), &how, sizeof how))
        return {.kind = Answer::Kind::from_root};
      // Who forbids links or other mounts on the way finds none.
      if (how.resolve != 0) return {.kind = Answer::Kind::from_root};
    } else {
      const bool is_creat = asked_.call.variant == Variant::create;
      how.flags = is_creat ? O_CREAT | O_WRONLY | O_TRUNC : static_cast<std::uint32_t>(argument(0));
      how.mode = argument(is_creat ? 0 : 1);
    }
    const int flags = static_cast<int>(how.flags);
    const bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
    const bool is_new = (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0;
    if (system_.read_only && writes && !is_new && system_.path != "/dev/null") return refusal(EROFS);
    Answer answer{.kind = Answer::Kind::descriptor, .closes_at_exec = (flags & O_CLOEXEC) != 0};
    if ((flags & O_CREAT) != 0 && system_.kind == Kind::behind_link) {
      answer.file = create(flags, static_cast<mode_t>(how.mode));
      if (answer.file || errno != EEXIST || (flags & O_EXCL) != 0)
        return answer.file ? std::move(answer) : refusal(errno);
    }
    if (is_new) {
      struct stat status;
      return refusal(stat_of(status, true) ? EEXIST : system_.read_only ? EROFS : ENOENT);
    }
    mode_ = static_cast<mode_t>(how.mode) & ~asked_.rights.umask;
    answer.file = system_.kind == Kind::link || writes ? open_file(flags) : open_to_read(flags);
    if (!answer.file) return refusal(errno);
    return answer;
  }

  // A file that is not there yet.
  sys::UniqueFd create(int flags, mode_t mode) const {
    const auto spot = spot_behind(root_, system_);
    if (!spot.directory) return errno = ENOENT, sys::UniqueFd();
    sys::UniqueFd file(
        ::openat(spot.directory.get(), spot.name.c_str(), flags | O_EXCL | O_CLOEXEC | O_NOCTTY, mode));
    if (file) set_mode_of_new(asked_.rights, spot, mode);
    return file;
  }

  sys::UniqueFd open_to_read(int flags) {
    if (system_.kind == Kind::hostname)
      return sys::make_memory_file(root_.hostname + "\n", "the name of the machine");
    if (system_.kind != Kind::mounts && system_.kind != Kind::mount_info) return open_file(flags);
    const auto info = sys::read_file("/proc/self/mountinfo");
    return sys::make_memory_file(system_.kind == Kind::mounts
                                     ? step_mounts(info, root_.path, root_.mounts)
                                     : step_mount_info(info, root_.path, root_.mounts),
                                 "the table of mounts");
  }

  sys::UniqueFd open_file(int flags) {
    if (system_.kind == Kind::link) {
      errno = ELOOP;
      return sys::UniqueFd();
    }
    std::string terminal;
    const char* name = path();
    if (system_.kind == Kind::terminal && (name = find_terminal(terminal)) == nullptr) return sys::UniqueFd();
    if (name == nullptr) return sys::UniqueFd();
    // Nothing is waited for here: others ask meanwhile.
    const int usual = flags & ~(O_CREAT | O_EXCL);
    sys::UniqueFd file(::open(name, usual | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode_));
    if (file && (flags & O_TMPFILE) == O_TMPFILE) ::fchmod(file.get(), mode_);
    if (file && (flags & (O_NONBLOCK | O_PATH)) == 0)
      ::fcntl(file.get(), F_SETFL, flags & (O_APPEND | O_DIRECT | O_NOATIME | O_ASYNC));
    return file;
  }

  // Not ours, which /dev/tty would be: that of the asker, a pseudo terminal if any.
  const char* find_terminal(std::string& path) const {
    const auto text = sys::read_if_there("/proc/" + std::to_string(asked_.rights.process) + "/stat");
    const auto fields =
        util::split(std::string_view(text).substr(std::min(text.rfind(')') + 1, text.size())), ' ');
    const auto number = fields.size() > 5 ? util::parse_uint(fields[5]).value_or(0) : 0;
    if (major(number) < 136 || major(number) > 143) return errno = ENXIO, nullptr;
    path = "/dev/pts/" + std::to_string((major(number) - 136) * 256 + minor(number));
    return path.c_str();
  }

  // --- what is known of a file ---

  Answer status() {
    const auto variant = asked_.call.variant;
    const bool kept = variant == Variant::no_follow || variant == Variant::compat_no_follow ||
                      (asked_.call.takes_directory && (argument(1) & AT_SYMLINK_NOFOLLOW) != 0);
    struct stat status;
    if (!stat_of(status, kept)) return refusal(errno);
    if (variant == Variant::compat || variant == Variant::compat_no_follow) {
      const auto compat = compat_status(status);
      return written(&compat, sizeof compat, argument(0));
    }
    return written(&status, sizeof status, argument(0));
  }

  Answer extended_status() {
    const char* const name = path();
    if (name == nullptr) return refusal(errno);
    auto flags = static_cast<int>(argument(0)) & ~AT_EMPTY_PATH;
    if (system_.kind == Kind::link) flags |= AT_SYMLINK_NOFOLLOW;
    if (system_.kind == Kind::behind_link) flags &= ~AT_SYMLINK_NOFOLLOW;
    struct statx status;
    if (::statx(AT_FDCWD, name, flags, static_cast<unsigned>(argument(1)), &status) != 0)
      return refusal(errno);
    return written(&status, sizeof status, argument(2));
  }

  // By the mode: the kernel would ask for our own user.
  Answer access() {
    struct stat status;
    if (!stat_of(status, false)) return refusal(errno);
    const auto wanted = static_cast<mode_t>(argument(0)) & 07;
    const auto& rights = asked_.rights;
    if ((wanted & W_OK) != 0 && system_.read_only) return refusal(EROFS);
    mode_t given = status.st_mode & 07;
    if (rights.uid == 0) {
      given = R_OK | W_OK | (S_ISDIR(status.st_mode) || (status.st_mode & 0111) != 0 ? X_OK : 0);
    } else if (rights.uid == status.st_uid) {
      given = status.st_mode >> 6 & 07;
    } else if (rights.gid == status.st_gid ||
               std::find(rights.groups.begin(), rights.groups.end(), status.st_gid) != rights.groups.end()) {
      given = status.st_mode >> 3 & 07;
    }
    return (wanted & ~given) != 0 ? refusal(EACCES) : Answer{};
  }

  Answer link_target() {
    if (system_.kind == Kind::behind_link) return refusal(EINVAL);
    const auto target = system_.kind == Kind::link ? system_.path : target_of(system_.path);
    if (!target) return refusal(errno);
    const auto size = std::min<std::uint64_t>(target->size(), argument(1));
    if (size == 0) return refusal(EINVAL);
    auto answer = written(target->data(), size, argument(0));
    answer.value = static_cast<std::int64_t>(size);
    return answer;
  }

  Answer filesystem() {
    const char* const name = path();
    struct statfs status;
    if (name == nullptr || ::statfs(name, &status) != 0) return refusal(errno);
    return written(&status, sizeof status, argument(0));
  }

  Answer written(const void* data, std::size_t size, std::uint64_t address) const {
    return asked_.memory.write(address, data, size) ? Answer{} : refusal(EFAULT);
  }

  // --- where nothing but the kernel's own walk will do ---

  // The root gets a directory of that name: what is looked up below it comes here again.
  Answer enter() {
    std::string place;
    struct stat status;
    {
      const ActingAs acting(asked_.rights);
      if (!stat_of(status, false)) return refusal(errno);
      place = linked_place();
    }
    if (!S_ISDIR(status.st_mode)) return refusal(ENOTDIR);
    const auto led = lead_on(root_, asked_.path, place);
    return led == 0 ? Answer{.kind = Answer::Kind::from_root} : refusal(led);
  }

  // The root gets a link of that name to the file.
  Answer execute() {
    std::string place;
    struct stat status;
    {
      const ActingAs acting(asked_.rights);
      if (!stat_of(status, false)) return refusal(errno);
      place = linked_place();
    }
    if (place.empty()) return refusal(S_ISREG(status.st_mode) ? ENOENT : EACCES);
    const auto led = lead_on(root_, asked_.path, place);
    return led == 0 ? Answer{.kind = Answer::Kind::from_root} : refusal(led);
  }

  // What a link of the kernel's leads to in the root; empty for what is none.
  std::string linked_place() const {
    const auto link = target_of(system_.path);
    if (!link || !link->starts_with('/') || link->ends_with(" (deleted)")) return {};
    return system_.kind == Kind::behind_link ? *link + "/" + system_.rest : *link;
  }

  const Asked& asked_;
  const SystemPath& system_;
  const SupervisedRoot& root_;
  sys::UniqueFd place_;
  std::string place_path_;
  mode_t mode_ = 0;  // of a file without a name (O_TMPFILE)
};

}  // namespace

Answer answer(const Asked& asked, const SystemPath& system, const SupervisedRoot& root) {
  return Answering(asked, system, root).answer();
}

std::optional<utsname> machine_seen_by(pid_t thread, const std::string& hostname) {
  utsname machine;
  if (::uname(&machine) != 0) return std::nullopt;
  std::string personality;
  try {
    personality = sys::read_if_there("/proc/" + std::to_string(thread) + "/personality");
  } catch (const util::Error&) {
    return std::nullopt;
  }
  // That of a program which wants another kernel or another machine is the kernel's to tell.
  if (personality != "00000000\n") return std::nullopt;
  std::memset(machine.nodename, 0, sizeof machine.nodename);
  hostname.copy(machine.nodename, sizeof machine.nodename - 1);
  return machine;
}

std::string seen_from(const SupervisedRoot& root, std::string target) {
  if (root.path == "/" || !target.starts_with(root.path)) return target;
  if (target.size() == root.path.size()) return "/";
  return target[root.path.size()] == '/' ? target.substr(root.path.size()) : target;
}

}  // namespace sandbox
