// The Dockerfile of a build whose context is a git repository or a URL.
#pragma once

#include <memory>

#include "common/document/request.hpp"
#include "common/native/definition.hpp"
#include "common/solver/remote_context.hpp"
#include "common/solver/workshop.hpp"

namespace native {

struct RemoteDefinition {
  solver::RemoteContext context;
  Definition definition;
};

// Fetches the context of `request`, which lives longer, and reads the Dockerfile in it. Throws util::Error,
// also for a Dockerfile that asks for what the native engine leaves out.
std::unique_ptr<const RemoteDefinition> fetch_definition(const document::Request& request,
                                                         solver::Workshop& workshop);

}  // namespace native
