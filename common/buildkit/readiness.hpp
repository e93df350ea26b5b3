// Whether a daemon answers on its socket.
#pragma once

#include <chrono>
#include <filesystem>

namespace buildkit {

// True if a gRPC server on the unix socket at `path` greets a client within `limit`. An open socket alone
// says little: buildkitd listens long before it can work. Nobody listening is false at once. Throws Error
// only for what has nothing to do with the server.
bool answers(const std::filesystem::path& path, std::chrono::milliseconds limit);

}  // namespace buildkit
