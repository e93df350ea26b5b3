// What steps are given, put together.
#include "common/solver/workshop.hpp"

#include <utility>

namespace solver {

Workshop::Workshop(Parts parts)
    : request(parts.request),
      images(parts.images),
      progress(parts.progress),
      canceller(parts.canceller),
      cancel(canceller.cancellation()),
      epoch(parts.epoch),
      cache(parts.cache),
      trees(parts.snapshotter, std::move(parts.directory)),
      secrets_(request.secrets),
      ssh_(request.ssh, trees.directory()),
      emulators_(trees.directory()),
      steps_{.sandbox = parts.sandbox,
             .emulators = emulators_,
             .store = parts.store,
             .local_copies = local_copies_,
             .secrets = secrets_,
             .ssh = ssh_,
             .proxies = std::move(parts.proxies),
             .hosts = request.add_hosts} {}

}  // namespace solver
