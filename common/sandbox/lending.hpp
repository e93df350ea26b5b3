// The supervisor's part in the lending of rights (lent_rights.hpp).
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>

#include "common/sandbox/answers.hpp"
#include "common/sandbox/asker_memory.hpp"
#include "common/sys/fd.hpp"

namespace sandbox {

// The program that lies at borrower_path.
std::string_view borrower_program() noexcept;

class Lending {
public:
  // `lender` is the other end of run_lender()'s socket; empty where nobody lends.
  explicit Lending(sys::UniqueFd lender) : lender_(std::move(lender)) {}

  // A program that somebody is about to execute: the path that was given, where that lies in whose memory,
  // and the path in the step's root.
  struct Program {
    const std::string& given;
    std::uint64_t address;
    const AskerMemory& memory;
    const std::string& name;
  };

  // Has the asker execute the borrower, by writing the name of that in place of the path. False where that
  // cannot be.
  bool lend(const Rights& rights, const Program& program);

  // Puts the path back into the memory of a process that is known to have executed something, or nothing: a
  // parent that waits for it may have the same memory. Costs nothing for all others.
  void settle(pid_t process);

  // For a borrower that opens borrower_path: what leads to the lender.
  Answer channel(pid_t process);

private:
  struct Borrowing {
    Rights rights;
    std::string name;
    std::string given;
    std::uint64_t address = 0;
    AskerMemory memory{};
    bool is_settled = false;
  };

  sys::UniqueFd lender_;
  std::map<pid_t, Borrowing> borrowings_;  // by process
};

// Whether this file gives one who may execute it rights that `rights` are without, and which can be lent.
enum class Gives { nothing, what_cannot_be_lent, rights };
Gives gives(int file, const Rights& rights);

// Whether it gives rights to anybody: a look that costs little. `file` may be one of O_PATH.
bool may_give_rights(int file);

}  // namespace sandbox
