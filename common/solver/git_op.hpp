// ADD of a git repository.
#pragma once

#include "common/plan/op.hpp"
#include "common/solver/fetch_op.hpp"
#include "common/solver/git_remote.hpp"
#include "common/solver/git_revision.hpp"
#include "common/solver/step_cache.hpp"
#include "common/solver/trees.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

struct Checkout {
  Change change;
  bool was_there = false;  // in the store
};

// A filesystem that holds the files of a commit: out of `cache`, if there is one, unless they are to be
// fetched anew, else from the remote of the op, and kept there. Throws util::Error in BuildKit's words, and
// as sys::Cancellation::check does.
Checkout check_out(const plan::Git& op, const GitRevision& revision, Fetching fetching, GitRemote& remote,
                   Trees& trees, StepCache* cache, const sys::Cancellation& cancel);

}  // namespace solver
