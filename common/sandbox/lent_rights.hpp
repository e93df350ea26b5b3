// How a program of a step gets the rights that its file gives (setuid, setgid, capabilities) although the
// step has no_new_privs, in isolation "chroot". Part of the borrower, too, which has nothing else of the
// project.
//
// Who executes such a program executes the borrower in its place, which hands all that the program is to have
// to the lender, a process of root's under the same filters. The lender starts the program with its rights:
// as a child executes the borrower once more, which takes them and then maps and enters the program itself,
// for the kernel would take them away again when it executes it. The first borrower waits, passes signals on
// and ends as the program does.
#pragma once

#include <cstdint>

namespace sandbox {

// Where a step's root has the borrower: the shortest name that nobody lists, as it takes the place of the
// other in the memory of who executes it. By its second name it is to become a program. By its third it
// executes its first argument with the others: a step's first process comes from the engine, whose memory
// nobody reads.
inline constexpr char borrower_path[] = "/sys/.s";
inline constexpr char borrower_as_program[] = "/sys//.s";
inline constexpr char borrower_as_starter[] = "/sys///.s";

// Begins the variable before all others of a borrower that is to become a program. Hexadecimal numbers
// follow, each with a colon behind it (see Loan), then the path of the program.
inline constexpr char loan_prefix = '=';

// What a program becomes.
struct Loan {
  std::uint64_t file;  // a descriptor, which is closed
  std::uint64_t uid, effective_uid;
  std::uint64_t gid, effective_gid;
  std::uint64_t permitted, effective;  // capabilities beside those of root
};
inline constexpr int loan_numbers = sizeof(Loan) / sizeof(std::uint64_t);

inline constexpr int lent_numbers = 256;           // descriptors from this number on are not passed on
inline constexpr int most_lent_descriptors = 250;  // the kernel sends three more at once
inline constexpr int lent_limits = 16;             // RLIM_NLIMITS

// What the first borrower sends, and with it the descriptors: first its working directory. The strings
// follow, as they lie in its memory: arguments, then variables.
struct BorrowerState {
  std::uint32_t arguments;
  std::uint32_t variables;
  std::uint32_t descriptors;  // beside the working directory
  std::uint32_t umask;
  std::uint64_t bytes;    // of the strings
  std::uint64_t blocked;  // signals, bit n-1 = signal n
  std::uint64_t ignored;
  std::uint64_t limits[lent_limits][2];  // soft, hard
  std::int32_t numbers[most_lent_descriptors];
};

inline constexpr std::uint64_t most_lent_bytes = 8 << 20;  // of strings

// Who asks for a program, as the supervisor tells the lender. A socket comes with it, which leads to the
// first borrower.
struct LendRequest {
  static constexpr int most_groups = 64;
  std::uint32_t uid;
  std::uint32_t gid;
  std::uint32_t groups;
  std::uint32_t group_ids[most_groups];
  char path[4096];   // absolute
  char given[4096];  // as the asker said it
};

// The borrower sends numbers of signals. It gets one of these, last of all.
struct LentEnd {
  std::int32_t signal;  // that has ended the program; 0 = none
  std::int32_t code;
};

}  // namespace sandbox
