// The parts of the child's side of the sandbox. No function here may allocate, lock or throw.
#pragma once

#include <cstdint>

#include "common/sandbox/child.hpp"
#include "common/sandbox/failure.hpp"

namespace sandbox {

// Reports errno.
[[noreturn]] void fail(const ChildPlan& plan, Failure::Step step, int index = -1) noexcept;

// Sets MOUNT_ATTR_* on a detached tree. False with errno.
bool restrict_tree(int tree, std::uint64_t attributes) noexcept;

// Attaches it. False with errno.
bool move_tree(int tree, int directory, const char* path, unsigned flags = 0) noexcept;

// Before the root is entered: makes a detached tree of every filesystem of `plan`.
void make_trees(ChildPlan& plan) noexcept;

// In the root: attaches them all.
void attach_trees(const ChildPlan& plan) noexcept;

// Ties what is mounted on each other together for good. When the last process of a mount namespace ends, the
// kernel takes its mounts apart: a descriptor of the step's /proc, sent to a process that lives on, would
// lead to a /proc without the read-only mounts and masks on it. Mounts that a less privileged user namespace
// has got are never taken apart (MNT_LOCKED), so the process moves to a copy of its mount namespace that
// belongs to one. False with errno where user namespaces are refused.
bool lock_mounts() noexcept;

// Default signals, a session of its own, and death with the parent.
void begin_process() noexcept;

// Closes the descriptors from `first` to `last`. False with errno.
bool close_descriptors(unsigned first, unsigned last) noexcept;

// The limits and the umask of every step.
void limit_process() noexcept;

// Makes the filter of `plan` hold, if it has one.
void apply_seccomp(const ChildPlan& plan) noexcept;

// False where the user may not go.
bool enter_working_dir(const ChildPlan& plan) noexcept;

// The capabilities, ids and groups of the step's user.
void become_user(const ChildPlan& plan) noexcept;

}  // namespace sandbox
