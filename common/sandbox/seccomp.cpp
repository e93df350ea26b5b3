// The default seccomp profile, compiled by libseccomp.
#include "common/sandbox/seccomp.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>

#include "common/sandbox/seccomp_calls.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/util/error.hpp"

namespace sandbox {
namespace {

struct Release {
  void operator()(void* context) const { ::seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

void check(int result, const char* what) {
  if (result < 0) util::throw_errno(std::string("seccomp: cannot ") + what, -result);
}

template <typename... Conditions>
void add(const Context& context, std::uint32_t action, const char* name, Conditions... conditions) {
  const int number = ::seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) return;
  check(::seccomp_rule_add(context.get(), action, number, sizeof...(conditions), conditions...), name);
}

// All but those that give descriptors of mount namespaces beside our own (NS_MNT_GET_NEXT and
// NS_MNT_GET_PREV, linux/nsfs.h): some kernels ask there for no right but one that root of a step has over
// those of other steps. The kernel takes the lower half of the number alone, of which 16 bits say what a call
// is.
void add_ioctl(const Context& context) {
  constexpr scmp_datum_t of_namespaces = 0xb700;
  const auto allow = [&](scmp_datum_t mask, scmp_datum_t value) {
    add(context, SCMP_ACT_ALLOW, "ioctl", SCMP_A1(SCMP_CMP_MASKED_EQ, mask, value));
  };
  // Another family: one bit of it at least is another one.
  for (scmp_datum_t bit = 0x100; bit <= 0x8000; bit <<= 1)
    allow(bit, ~of_namespaces & bit);
  // Of this one 11 and 12 are those two.
  allow(0xfff8, of_namespaces);
  allow(0xfffe, of_namespaces | 8);
  allow(0xffff, of_namespaces | 10);
}

void add_rules(const Context& context) {
  for (const char* name : allowed_calls())
    add(context, SCMP_ACT_ALLOW, name);
  add_ioctl(context);
  // They show the mounts of every namespace that one knows the number of. Who uses them has another way.
  for (const char* name : {"listmount", "statmount"})
    add(context, SCMP_ACT_ERRNO(ENOSYS), name);

  // What the profile has conditions for: sockets of families that reach past namespaces, new namespaces, and
  // personalities that programs do not use. The kernel takes the lower half of a family's number alone, so
  // that a rule for all above some number would be one for 2^32 + 40, AF_VSOCK, too.
  for (const auto& call : conditional_calls())
    add(context, SCMP_ACT_ALLOW, call.name, call.condition);

  // clone3 hides its flags in memory, so it does not exist; libc then takes clone.
  add(context, SCMP_ACT_ERRNO(ENOSYS), "clone3");
}

void add_companion_architectures(const Context& context) {
  for (const std::uint32_t architecture :
#if defined(__x86_64__)
       {SCMP_ARCH_X86, SCMP_ARCH_X32}
#elif defined(__aarch64__)
       {SCMP_ARCH_ARM}
#else
       {SCMP_ARCH_NATIVE}
#endif
  ) {
    const int result = ::seccomp_arch_add(context.get(), architecture);
    if (result != -EEXIST) check(result, "add an architecture");
  }
}

// An architecture in the words of the kernel and of libseccomp, and the numbers that belong to another one.
struct Architecture {
  std::uint32_t audit;
  std::uint32_t seccomp;
  std::uint32_t numbers_end;
};
constexpr Architecture architectures[] = {
#if defined(__x86_64__)
    {AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, 0x40000000},  // from there on those of x32
    {AUDIT_ARCH_I386, SCMP_ARCH_X86, UINT32_MAX},
#elif defined(__aarch64__)
    {AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64, UINT32_MAX},
    {AUDIT_ARCH_ARM, SCMP_ARCH_ARM, 0x0f0000},  // from there on private ones
#endif
};

std::uint32_t highest_number(std::uint32_t architecture) {
  int highest = 0;
  for (const char* name : allowed_calls())
    highest = std::max(highest, ::seccomp_syscall_resolve_name_arch(architecture, name));
  return static_cast<std::uint32_t>(highest);
}

// System calls newer than all that the profile knows do not exist, rather than being refused: programs that
// try them first then take the older ones. Comes before the compiled filter, as runc does it.
std::vector<sock_filter> unknown_calls() {
  std::vector<sock_filter> filter;
  for (const auto& architecture : architectures) {
    const sock_filter part[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture.audit, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, architecture.numbers_end, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, highest_number(architecture.seccomp), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
    filter.insert(filter.end(), std::begin(part), std::end(part));
  }
  return filter;
}

std::vector<sock_filter> compile(const Context& context) {
  const sys::UniqueFd file(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) util::throw_errno("cannot make a memory file");
  check(::seccomp_export_bpf(context.get(), file.get()), "compile the filter");
  if (::lseek(file.get(), 0, SEEK_SET) != 0) util::throw_errno("cannot read the seccomp filter");
  const std::string bytes = sys::read_to_end(file.get(), "the seccomp filter");
  auto filter = unknown_calls();
  const auto begin = filter.size();
  filter.resize(begin + bytes.size() / sizeof(sock_filter));
  bytes.copy(reinterpret_cast<char*>(filter.data() + begin), bytes.size());
  return filter;
}

std::vector<sock_filter> make_filter() {
  const Context context(::seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!context) throw util::Error("seccomp: cannot make a filter");
  // The sandbox decides about no_new_privs itself: it stays off, so that sudo works in a step.
  check(::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_NNP, 0), "leave no_new_privs alone");
  add_companion_architectures(context);
  add_rules(context);
  return compile(context);
}

}  // namespace

const std::vector<sock_filter>& default_seccomp_filter() {
  static const std::vector<sock_filter> filter = make_filter();
  return filter;
}

}  // namespace sandbox
