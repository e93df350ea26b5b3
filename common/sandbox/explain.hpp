// Why a step could not be started.
#pragma once

#include "common/sandbox/child.hpp"
#include "common/sandbox/failure.hpp"
#include "common/sandbox/sandbox.hpp"

namespace sandbox {

// The step's mounts cannot be locked here (lock_mounts).
class LockRefused : public util::Error {
public:
  LockRefused() : Error("cannot lock the step's mounts: this machine refuses user namespaces") {}
};

// Throws LockRefused, StartError where the step asked for what cannot be had, else util::Error: `failure` is
// what the child that carried out `plan` for `spec` has reported.
[[noreturn]] void explain(const Failure& failure, const ChildPlan& plan, const Spec& spec);

}  // namespace sandbox
