// The borrower (lent_rights.hpp): in the place of a program whose file gives rights.
#include "common/sandbox/borrower/parts.hpp"

namespace {

using sandbox::bare_call;
using sandbox::to_long;

bool is_same(const char* text, const char* other) {
  while (*text != '\0' && *text == *other)
    ++text, ++other;
  return *text == *other;
}

}  // namespace

// Compilers call these for what they find too long.
extern "C" {
[[gnu::used]] void* memset(void* memory, int value, unsigned long size) {
  for (unsigned long i = 0; i < size; ++i) {
    static_cast<volatile char*>(memory)[i] = static_cast<char>(value);
  }
  return memory;
}
[[gnu::used]] void* memcpy(void* target, const void* source, unsigned long size) {
  for (unsigned long i = 0; i < size; ++i) {
    static_cast<volatile char*>(target)[i] = static_cast<const char*>(source)[i];
  }
  return target;
}
}

extern "C" [[noreturn, gnu::used]] void start(long* stack) {
  borrower::Start start(stack);
  const auto* const told = start.auxiliary(AT_EXECFN);
  const char* const name = told != nullptr ? reinterpret_cast<const char*>(told->value) : "";
  if (is_same(name, sandbox::borrower_as_program)) {
    borrower::become_program(start);
  } else if (is_same(name, sandbox::borrower_as_starter)) {
    bare_call(SYS_execve, to_long(start.arguments[0]), to_long(start.arguments + 1),
              to_long(start.variables));
  } else {
    borrower::borrow(start);
  }
  for (;;)
    bare_call(SYS_exit_group, 127);
}

#if defined(__x86_64__)
asm(".globl _start\n"
    "_start: xor %ebp, %ebp\n"
    "mov %rsp, %rdi\n"
    "and $-16, %rsp\n"
    "call start\n");
#else
asm(".globl _start\n"
    "_start: mov x29, xzr\n"
    "mov x0, sp\n"
    "bl start\n");
#endif
