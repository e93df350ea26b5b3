// What a git reference means.
#pragma once

#include <string>

#include "common/plan/op.hpp"
#include "common/solver/git_remote.hpp"

namespace solver {

struct GitRevision {
  std::string ref;           // with the remote's HEAD in place of none
  std::string commit;        // or tag object, in full: what it names is the same for ever
  std::string target;        // the commit that such a tag is of, else the same
  bool is_confirmed = true;  // false where a checksum says so, and nobody has asked whether the ref agrees
};

// Of a full commit id, or a checksum that is one, what it says, and the server is not asked; else what the
// server says now. Throws util::Error in BuildKit's words.
GitRevision find_revision(const plan::Git& op, GitRemote& remote);

// What the server says of one that is not confirmed. Throws as find_revision() does.
GitRevision confirm(const plan::Git& op, GitRemote& remote);

}  // namespace solver
