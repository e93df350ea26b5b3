// ADD of a git repository.
#pragma once

#include "common/engine/progress.hpp"
#include "common/plan/op.hpp"
#include "common/solver/fetch_op.hpp"
#include "common/solver/git_revision.hpp"
#include "common/solver/secrets.hpp"
#include "common/solver/ssh_agents.hpp"
#include "common/solver/step_cache.hpp"
#include "common/solver/trees.hpp"
#include "common/sys/cancellation.hpp"

namespace solver {

struct Checkout {
  Change change;
  bool was_there = false;  // in the store
};

// A filesystem that holds the files of a commit: out of `cache`, if there is one, unless they are to be
// fetched anew, else by the `git` program, and kept there. What git says goes to `vertex`. Throws util::Error
// in BuildKit's words.
Checkout check_out(const plan::Git& op, const GitRevision& revision, Fetching fetching, Trees& trees,
                   StepCache* cache, const Secrets& secrets, const SshAgents& ssh,
                   engine::Progress::Vertex& vertex, const sys::Cancellation& cancel);

}  // namespace solver
