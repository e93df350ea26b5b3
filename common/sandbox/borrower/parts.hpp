// The two things that the borrower is.
#pragma once

#include <elf.h>

#include "common/sandbox/bare_calls.hpp"
#include "common/sandbox/lent_rights.hpp"

namespace borrower {

struct Auxiliary {
  unsigned long type;
  unsigned long value;
};

// What the kernel leaves on the stack: the number of arguments, they and a null pointer, the variables and a
// null pointer, the auxiliary vector.
struct Start {
  explicit Start(long* start)
      : stack(start),
        count(*start),
        arguments(reinterpret_cast<char**>(start + 1)),
        variables(arguments + count + 1) {
    char** end = variables;
    while (*end != nullptr)
      ++end;
    vector = reinterpret_cast<Auxiliary*>(end + 1);
  }

  // Null for what the kernel has not told.
  Auxiliary* auxiliary(unsigned long type) const {
    for (Auxiliary* one = vector; one->type != AT_NULL; ++one) {
      if (one->type == type) return one;
    }
    return nullptr;
  }

  long* stack;
  long count;
  char** arguments;
  char** variables;
  Auxiliary* vector;
};

// Takes the rights of the Loan, maps the program and enters it. Returns where that fails.
void become_program(Start& start);

// Hands everything to the lender, and ends as the program does. Returns where there is no lender.
void borrow(const Start& start);

}  // namespace borrower
