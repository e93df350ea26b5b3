// Does for one program what execve(2) does, but for the check of its rights.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <sys/mman.h>

#include "common/sandbox/borrower/parts.hpp"

namespace borrower {
namespace {

using sandbox::bare_call;
using sandbox::Loan;
using sandbox::to_long;

constexpr int most_headers = 64;

#if defined(__x86_64__)
constexpr Elf64_Half machine = EM_X86_64;
#else
constexpr Elf64_Half machine = EM_AARCH64;
#endif

struct Mapped {
  bool is_mapped = false;
  unsigned long base;  // what is added to the addresses of the file
  unsigned long entry;
  unsigned long headers;
  unsigned long header_count;
  char interpreter[4096];
};

bool read_at(long file, void* data, unsigned long size, unsigned long offset) {
  return bare_call(SYS_pread64, file, to_long(data), static_cast<long>(size), static_cast<long>(offset)) ==
         static_cast<long>(size);
}

long map(unsigned long address, unsigned long size, int protection, int flags, long file,
         unsigned long offset) {
  return bare_call(SYS_mmap, static_cast<long>(address), static_cast<long>(size), protection, flags, file,
                   static_cast<long>(offset));
}

bool is_error(long result) {
  return result < 0 && result >= -4095;
}

// One segment; what the file does not fill of it is zero.
bool map_segment(long file, const Elf64_Phdr& segment, unsigned long base, unsigned long page) {
  const int protection = ((segment.p_flags & PF_R) != 0 ? PROT_READ : 0) |
                         ((segment.p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
                         ((segment.p_flags & PF_X) != 0 ? PROT_EXEC : 0);
  const unsigned long begin = base + segment.p_vaddr;
  const unsigned long lead = begin % page;
  const unsigned long of_file = begin + segment.p_filesz;
  const unsigned long end = begin + segment.p_memsz;
  const unsigned long filled = segment.p_filesz == 0 ? begin - lead : (of_file + page - 1) / page * page;
  if (segment.p_filesz != 0) {
    if (is_error(map(begin - lead, segment.p_filesz + lead, protection, MAP_PRIVATE | MAP_FIXED, file,
                     segment.p_offset - lead)))
      return false;
    if (end > of_file && (protection & PROT_WRITE) != 0) {
      for (auto* byte = reinterpret_cast<volatile char*>(of_file); byte < reinterpret_cast<char*>(filled);
           ++byte)
        *byte = 0;
    }
  }
  return end <= filled ||
         !is_error(map(filled, end - filled, protection, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0));
}

bool map_program(long file, Mapped& mapped, unsigned long page) {
  Elf64_Ehdr header;
  Elf64_Phdr segments[most_headers];
  if (!read_at(file, &header, sizeof header, 0) || header.e_ident[0] != ELFMAG0 ||
      header.e_ident[1] != ELFMAG1 || header.e_ident[2] != ELFMAG2 || header.e_ident[3] != ELFMAG3 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != machine ||
      header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > most_headers ||
      !read_at(file, segments, header.e_phnum * sizeof(Elf64_Phdr), header.e_phoff))
    return false;
  unsigned long low = ~0UL;
  unsigned long high = 0;
  for (int i = 0; i < header.e_phnum; ++i) {
    const Elf64_Phdr& segment = segments[i];
    if (segment.p_type == PT_INTERP) {
      if (segment.p_filesz == 0 || segment.p_filesz > sizeof mapped.interpreter ||
          !read_at(file, mapped.interpreter, segment.p_filesz, segment.p_offset))
        return false;
      mapped.interpreter[segment.p_filesz - 1] = '\0';
    }
    if (segment.p_type != PT_LOAD) continue;
    if (segment.p_vaddr / page * page < low) low = segment.p_vaddr / page * page;
    if (segment.p_vaddr + segment.p_memsz > high) high = segment.p_vaddr + segment.p_memsz;
    if (header.e_phoff >= segment.p_offset && header.e_phoff < segment.p_offset + segment.p_filesz)
      mapped.headers = header.e_phoff - segment.p_offset + segment.p_vaddr;
  }
  if (low >= high) return false;
  mapped.base = 0;
  if (header.e_type == ET_DYN) {
    const long place = map(0, high - low, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (is_error(place)) return false;
    mapped.base = static_cast<unsigned long>(place) - low;
  }
  for (int i = 0; i < header.e_phnum; ++i) {
    if (segments[i].p_type == PT_LOAD && !map_segment(file, segments[i], mapped.base, page)) return false;
  }
  mapped.entry = mapped.base + header.e_entry;
  mapped.headers += mapped.base;
  mapped.header_count = header.e_phnum;
  mapped.is_mapped = true;
  return true;
}

// What follows the numbers; null for what is no Loan.
const char* parse(const char* text, Loan& loan) {
  if (text == nullptr || *text++ != sandbox::loan_prefix) return nullptr;
  auto* const numbers = reinterpret_cast<unsigned long*>(&loan);
  for (int i = 0; i < sandbox::loan_numbers; ++i) {
    unsigned long number = 0;
    for (; *text != ':'; ++text) {
      if (*text >= '0' && *text <= '9')
        number = number << 4 | static_cast<unsigned long>(*text - '0');
      else if (*text >= 'a' && *text <= 'f')
        number = number << 4 | static_cast<unsigned long>(*text - 'a' + 10);
      else
        return nullptr;
    }
    numbers[i] = number;
    ++text;
  }
  return text;
}

bool take_rights(const Loan& loan) {
  if (loan.permitted != 0 && bare_call(SYS_prctl, PR_SET_KEEPCAPS, 1) != 0) return false;
  const auto gid = static_cast<long>(loan.gid);
  const auto effective_gid = static_cast<long>(loan.effective_gid);
  const auto uid = static_cast<long>(loan.uid);
  const auto effective_uid = static_cast<long>(loan.effective_uid);
  if (bare_call(SYS_setresgid, gid, effective_gid, effective_gid) != 0 ||
      bare_call(SYS_setresuid, uid, effective_uid, effective_uid) != 0)
    return false;
  if (loan.permitted == 0) return true;
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2];
  for (int half = 0; half < 2; ++half) {
    data[half].permitted = static_cast<unsigned>(loan.permitted >> (32 * half));
    data[half].effective = static_cast<unsigned>(loan.effective >> (32 * half));
    data[half].inheritable = 0;
  }
  return bare_call(SYS_capset, to_long(&header), to_long(data)) == 0 &&
         bare_call(SYS_prctl, PR_SET_KEEPCAPS, 0) == 0;
}

const char* last_component(const char* path) {
  const char* last = path;
  for (; *path != '\0'; ++path) {
    if (*path == '/') last = path + 1;
  }
  return last;
}

// The program gets neither the variable of the Loan nor what is the borrower's own in the auxiliary vector.
void tell(Start& start, const Mapped& program, const Mapped& interpreter, const Loan& loan,
          const char* path) {
  const auto set = [&](unsigned long type, unsigned long value) {
    if (auto* const one = start.auxiliary(type)) one->value = value;
  };
  set(AT_PHDR, program.headers);
  set(AT_PHENT, sizeof(Elf64_Phdr));
  set(AT_PHNUM, program.header_count);
  set(AT_ENTRY, program.entry);
  set(AT_BASE, interpreter.is_mapped ? interpreter.base : 0);
  set(AT_UID, loan.uid);
  set(AT_EUID, loan.effective_uid);
  set(AT_GID, loan.gid);
  set(AT_EGID, loan.effective_gid);
  set(AT_SECURE, 1);
  set(AT_EXECFN, static_cast<unsigned long>(to_long(path)));
  auto* to = reinterpret_cast<long*>(start.variables);
  const auto* from = to + 1;
  const auto* end = reinterpret_cast<long*>(start.vector);
  while (end[0] != AT_NULL)
    end += 2;
  while (from < end + 2)
    *to++ = *from++;
}

[[noreturn]] void enter(long* stack, unsigned long entry) {
#if defined(__x86_64__)
  asm volatile(
      "mov %0, %%rsp\n"
      "xor %%edx, %%edx\n"
      "xor %%ebp, %%ebp\n"
      "jmp *%1\n"
      :
      : "r"(stack), "r"(entry)
      : "memory");
#else
  asm volatile(
      "mov sp, %0\n"
      "mov x29, xzr\n"
      "mov x30, xzr\n"
      "mov x0, xzr\n"
      "br %1\n"
      :
      : "r"(stack), "r"(entry)
      : "x0", "memory");
#endif
  __builtin_unreachable();
}

}  // namespace

void become_program(Start& start) {
  Loan loan;
  const char* const path = parse(*start.variables, loan);
  const auto* const page = start.auxiliary(AT_PAGESZ);
  if (path == nullptr || page == nullptr) return;
  // Of somebody with rights of its own the supervisor opens no memory any more: it is asked before.
  bare_call(SYS_readlinkat, AT_FDCWD, to_long(sandbox::borrower_path), to_long(path), 1);
  Mapped program;
  Mapped interpreter;
  program.interpreter[0] = '\0';
  const auto file = static_cast<long>(loan.file);
  if (!map_program(file, program, page->value)) return;
  bare_call(SYS_close, file);
  if (program.interpreter[0] != '\0') {
    const long opened = bare_call(SYS_openat, AT_FDCWD, to_long(program.interpreter), O_RDONLY | O_CLOEXEC);
    if (opened < 0 || !map_program(opened, interpreter, page->value)) return;
    bare_call(SYS_close, opened);
  }
  bare_call(SYS_prctl, PR_SET_NAME, to_long(last_component(path)));
  if (!take_rights(loan)) return;
  tell(start, program, interpreter, loan, path);
  enter(start.stack, interpreter.is_mapped ? interpreter.entry : program.entry);
}

}  // namespace borrower
