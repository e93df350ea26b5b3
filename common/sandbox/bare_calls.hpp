// System calls for the programs of the sandbox that have no C library.
#pragma once

#include <sys/syscall.h>

namespace sandbox {

// -errno for a failure.
inline long bare_call(long number, long first = 0, long second = 0, long third = 0, long fourth = 0,
                      long fifth = 0, long sixth = 0) {
#if defined(__x86_64__)
  long result;
  register long r10 asm("r10") = fourth;
  register long r8 asm("r8") = fifth;
  register long r9 asm("r9") = sixth;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(first), "S"(second), "d"(third), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x0 asm("x0") = first;
  register long x1 asm("x1") = second;
  register long x2 asm("x2") = third;
  register long x3 asm("x3") = fourth;
  register long x4 asm("x4") = fifth;
  register long x5 asm("x5") = sixth;
  register long x8 asm("x8") = number;
  asm volatile("svc 0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x8) : "memory");
  return x0;
#else
#error "there are no system calls for this architecture yet"
#endif
}

inline long to_long(const void* pointer) {
  return reinterpret_cast<long>(pointer);
}

}  // namespace sandbox
