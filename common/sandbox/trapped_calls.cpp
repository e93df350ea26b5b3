// By their numbers, where libraries that are older than the calls have no names for them.
#include "common/sandbox/trapped_calls.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

#include <array>

namespace sandbox {
namespace {

using Variant = TrappedCall::Variant;
constexpr auto native = native_architecture;
constexpr auto companion = companion_architecture;
constexpr int fchmodat2 = 452;

constexpr TrappedCall all[] = {
    {native, SYS_openat, Question::open, true},
    {native, 437, Question::open_how, true},
    {native, SYS_newfstatat, Question::status, true},
    {native, SYS_statx, Question::statx, true},
    {native, SYS_faccessat, Question::access, true},
    {native, 439, Question::access, true},
    {native, SYS_readlinkat, Question::link_target, true},
    {native, SYS_execve, Question::execute, false},
    {native, SYS_execveat, Question::execute, true},
    {native, SYS_chdir, Question::enter, false},
    {native, SYS_statfs, Question::filesystem, false},
    {native, SYS_getxattr, Question::attribute, false},
    {native, SYS_lgetxattr, Question::attribute, false, Variant::no_follow},
    {native, SYS_listxattr, Question::attributes, false},
    {native, SYS_llistxattr, Question::attributes, false, Variant::no_follow},
    {native, SYS_kill, Question::signal, false},
    {native, SYS_uname, Question::machine, false},
    {native, SYS_fchmodat, Question::mode, true},
    {native, fchmodat2, Question::mode, true},
    {native, SYS_fchownat, Question::owner, true},
    {native, SYS_utimensat, Question::times, true},
    {native, SYS_truncate, Question::size, false},
    {native, SYS_setxattr, Question::set_attribute, false},
    {native, SYS_lsetxattr, Question::set_attribute, false, Variant::no_follow},
    {native, SYS_removexattr, Question::remove_attribute, false},
    {native, SYS_lremovexattr, Question::remove_attribute, false, Variant::no_follow},
    {native, SYS_name_to_handle_at, Question::file_handle, true},
    {native, SYS_mkdirat, Question::make_directory, true},
    {native, SYS_mknodat, Question::make_node, true},
    {native, SYS_symlinkat, Question::make_symlink, true},
    {native, SYS_unlinkat, Question::remove, true},
    {native, SYS_renameat, Question::rename, true},
    {native, SYS_renameat2, Question::rename, true},
    {native, SYS_linkat, Question::link, true},
#if defined(__x86_64__)
    {native, SYS_open, Question::open, false},
    {native, SYS_creat, Question::open, false, Variant::create},
    {native, SYS_stat, Question::status, false},
    {native, SYS_lstat, Question::status, false, Variant::no_follow},
    {native, SYS_access, Question::access, false},
    {native, SYS_readlink, Question::link_target, false},
    {native, SYS_chmod, Question::mode, false},
    {native, SYS_chown, Question::owner, false},
    {native, SYS_lchown, Question::owner, false, Variant::no_follow},
    {native, SYS_futimesat, Question::times, true, Variant::microseconds},
    {native, SYS_utimes, Question::times, false, Variant::microseconds},
    {native, SYS_utime, Question::times, false, Variant::seconds},
    {native, SYS_mkdir, Question::make_directory, false},
    {native, SYS_mknod, Question::make_node, false},
    {native, SYS_symlink, Question::make_symlink, false},
    {native, SYS_unlink, Question::remove, false},
    {native, SYS_rmdir, Question::remove_directory, false},
    {native, SYS_rename, Question::rename, false},
    {native, SYS_link, Question::link, false},
#endif
#if defined(__x86_64__)
    {companion, 295, Question::open, true},
    {companion, 300, Question::status, true, Variant::compat},
    {companion, 383, Question::statx, true},
    {companion, 307, Question::access, true},
    {companion, 305, Question::link_target, true},
    {companion, 358, Question::execute, true},
    {companion, 195, Question::status, false, Variant::compat},
    {companion, 196, Question::status, false, Variant::compat_no_follow},
    {companion, 306, Question::mode, true},
    {companion, 298, Question::owner, true},
    {companion, 320, Question::times, true, Variant::compat},
    {companion, 193, Question::size, false, Variant::compat},
    {companion, 296, Question::make_directory, true},
    {companion, 297, Question::make_node, true},
    {companion, 304, Question::make_symlink, true},
    {companion, 301, Question::remove, true},
    {companion, 302, Question::rename, true},
    {companion, 353, Question::rename, true},
    {companion, 303, Question::link, true},
#elif defined(__aarch64__)
    {companion, 322, Question::open, true},
    {companion, 397, Question::statx, true},
    {companion, 334, Question::access, true},
    {companion, 332, Question::link_target, true},
    {companion, 387, Question::execute, true},
    {companion, 333, Question::mode, true},
    {companion, 325, Question::owner, true},
    {companion, 348, Question::times, true, Variant::compat},
    {companion, 323, Question::make_directory, true},
    {companion, 324, Question::make_node, true},
    {companion, 331, Question::make_symlink, true},
    {companion, 328, Question::remove, true},
    {companion, 329, Question::rename, true},
    {companion, 382, Question::rename, true},
    {companion, 330, Question::link, true},
#endif
    // The same numbers on i386 and arm.
    {companion, 5, Question::open, false},
    {companion, 8, Question::open, false, Variant::create},
    {companion, 437, Question::open_how, true},
    {companion, 33, Question::access, false},
    {companion, 439, Question::access, true},
    {companion, 85, Question::link_target, false},
    {companion, 11, Question::execute, false},
    {companion, 12, Question::enter, false},
    {companion, 37, Question::signal, false},
    {companion, 122, Question::machine, false},
    {companion, 15, Question::mode, false},
    {companion, fchmodat2, Question::mode, true},
    {companion, 212, Question::owner, false},
    {companion, 198, Question::owner, false, Variant::no_follow},
    {companion, 412, Question::times, true},
    {companion, 92, Question::size, false},
    {companion, 226, Question::set_attribute, false},
    {companion, 227, Question::set_attribute, false, Variant::no_follow},
    {companion, 235, Question::remove_attribute, false},
    {companion, 236, Question::remove_attribute, false, Variant::no_follow},
    {companion, 39, Question::make_directory, false},
    {companion, 14, Question::make_node, false},
    {companion, 83, Question::make_symlink, false},
    {companion, 10, Question::remove, false},
    {companion, 40, Question::remove_directory, false},
    {companion, 38, Question::rename, false},
    {companion, 9, Question::link, false},
};

// Of one architecture, by number: each question asks.
class Index {
public:
  explicit Index(std::uint32_t architecture) {
    for (const auto& call : all) {
      if (call.architecture == architecture) by_number_.at(static_cast<std::size_t>(call.number)) = &call;
    }
  }
  const TrappedCall* find(int number) const noexcept {
    const auto at = static_cast<std::size_t>(number);
    return at < by_number_.size() ? by_number_[at] : nullptr;
  }

private:
  std::array<const TrappedCall*, 512> by_number_{};
};

}  // namespace

std::span<const TrappedCall> trapped_calls() noexcept {
  return all;
}

const TrappedCall* find_trapped(std::uint32_t architecture, int number) noexcept {
  static const Index of_native(native);
  static const Index of_companion(companion);
  if (architecture == native) return of_native.find(number);
  return architecture == companion ? of_companion.find(number) : nullptr;
}

sys::Links links_at_end(const TrappedCall& call, const std::uint64_t* arguments,
                        std::string_view path) noexcept {
  const auto has = [&](int index, int flag) { return (static_cast<int>(arguments[index]) & flag) != 0; };
  if (call.question == Question::link) {
    const bool followed = call.takes_directory && has(4, AT_SYMLINK_FOLLOW);
    return followed ? sys::Links::followed : sys::Links::kept;
  }
  if (changes_names(call.question)) return sys::Links::kept;
  if (path.back() == '/') return sys::Links::followed;
  bool kept = call.variant == Variant::no_follow || call.variant == Variant::compat_no_follow ||
              call.question == Question::link_target;
  if (call.takes_directory) {
    if (call.question == Question::status) kept = has(3, AT_SYMLINK_NOFOLLOW);
    if (call.question == Question::statx) kept = has(2, AT_SYMLINK_NOFOLLOW);
    if (call.question == Question::owner) kept = has(4, AT_SYMLINK_NOFOLLOW);
    if (call.question == Question::times && call.variant != Variant::microseconds)
      kept = has(3, AT_SYMLINK_NOFOLLOW);
    // fchmodat(2) has no flags.
    if (call.question == Question::mode && call.number == fchmodat2) kept = has(3, AT_SYMLINK_NOFOLLOW);
    if (call.question == Question::file_handle) kept = !has(4, AT_SYMLINK_FOLLOW);
  }
  if (call.question == Question::open && call.variant == Variant::usual)
    kept = has(call.takes_directory ? 2 : 1, O_NOFOLLOW);
  return kept ? sys::Links::kept : sys::Links::followed;
}

}  // namespace sandbox
