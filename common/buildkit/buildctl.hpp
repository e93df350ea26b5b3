// buildctl, BuildKit's own client: one call builds one target.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/buildkit/progress.hpp"
#include "common/document/request.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/process.hpp"

namespace buildkit {

// What one call adds to the request.
struct Solve {
  std::optional<std::string> target;
  std::optional<std::filesystem::path> destination;  // a file for docker, a directory for oci
  std::vector<image::Reference> repo_tags = {};
  std::vector<std::string> cache_imports = {};  // --import-cache records beyond the request's
  std::vector<std::string> cache_exports = {};
  std::string progress = "plain";         // what buildctl itself shows
  std::optional<std::string> trace = {};  // file that it writes its updates to
};

// The arguments of `buildctl` for one solve on the daemon at `address`; `ssh` is what each --ssh says. No
// secret is in them, and no proxy's address: those go by name. Throws Error for what buildctl cannot be told
// (a comma in a key's path, an annotation with upper-case letters).
std::vector<std::string> solve_arguments(const document::Request& request,
                                         const document::RemoteEngine& address, const Solve& solve,
                                         const std::vector<std::string>& ssh);

// The options of the frontend that these arguments give for `target`, by name: "build-arg:X", "filename". The
// value of a proxy that goes by name is that of the variable.
std::map<std::string, std::string> frontend_attributes(const document::Request& request,
                                                       const std::optional<std::string>& target);

// The exporter attributes that the request asks for, without type and dest: "compression=zstd". The local
// cache has to be compressed alike, or a layer from it would make another image than one built anew.
std::vector<std::string> compression_attributes(const document::Output& output);

// The environment of buildctl, out of ours ("NAME=value" each): what the request decides is not decided by a
// variable as well.
std::vector<std::string> client_environment(const document::Request& request,
                                            const std::vector<std::string>& environment);

// The request's SSH agents and keys as --ssh wants them. Keys given as text are held in memory files, which
// buildctl inherits and which last as long as this object.
class SshForwarding {
public:
  // Throws Error when a variable that should hold a key is not set.
  explicit SshForwarding(const std::vector<document::Ssh>& ssh);

  const std::vector<std::string>& specifications() const noexcept { return specifications_; }
  std::vector<int> kept_fds() const;

private:
  std::vector<std::string> specifications_;
  std::vector<sys::UniqueFd> keys_;
};

// Starts buildctl for one solve, which is shown by `progress`. Throws Error.
sys::Child start_solve(const document::Request& request, const document::RemoteEngine& address, Solve solve,
                       const SshForwarding& ssh, const Progress& progress);

}  // namespace buildkit
