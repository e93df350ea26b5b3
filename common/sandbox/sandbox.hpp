// Runs one process of a build step in its root, isolated as a RUN step must be.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/cancellation.hpp"
#include "common/sys/process.hpp"
#include "common/util/error.hpp"

namespace sandbox {

struct BindMount {
  std::filesystem::path source = {};  // the kernel follows it: a name that no step can change
  std::string target;                 // absolute, inside the root
  bool read_only = false;
  // Where set, what is mounted in place of `source`: a descriptor (O_PATH) of a directory or file. The
  // caller's.
  int place = -1;
  // A cache: what the step writes there is to stay. Isolations that mount show every step the directory
  // itself; "chroot" gives it to one step at a time.
  bool lasting = false;
};

struct TmpfsMount {
  std::string target;
  std::optional<std::uint64_t> size;
};

// A small file that exists only while the process runs (secrets): on a tmpfs, never on disk.
struct MemoryFile {
  std::string target;
  std::string content;
  std::uint32_t mode = 0400;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

// The machine's network, told of it nameservers that any network reaches; the same with all of its
// nameservers; or none but the loopback device.
enum class Network { shared, host, none };

struct Spec {
  std::filesystem::path root;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string working_dir = "/";
  std::string user;  // as USER says: name, uid, name:group, uid:gid; empty = 0:0
  std::vector<BindMount> binds;
  std::vector<TmpfsMount> tmpfs;
  std::vector<MemoryFile> files;
  std::vector<std::string> hosts;  // "IP<TAB>name" lines for /etc/hosts
  std::string hostname = "buildkitsandbox";
  Network network = Network::shared;
  bool insecure = false;
  sys::Cancellation cancel = {};  // once it is requested the process is killed and run() throws
};

// What a step asks for cannot be had: its program, a mount where it wants it.
class StartError : public util::Error {
public:
  using Error::Error;
};

// One process with everything it leaves behind. Runs until it ends or a stop is requested; then nothing of it
// runs, nothing is mounted, and mount points that had to be made in the root are gone with their parents'
// mtimes restored. `output` gets stdout and stderr as they come. Throws StartError, or util::Error when the
// process cannot be started for another reason, in BuildKit's words where it has some ("unable to find user
// nosuch: no matching entries in passwd file").
using Output = std::function<void(std::string_view)>;

class Sandbox {
public:
  virtual ~Sandbox() = default;
  // Why no step that asks for this can run here, and what would help; nothing if one can.
  virtual std::optional<std::string> refusal([[maybe_unused]] Network network,
                                             [[maybe_unused]] bool insecure) const {
    return std::nullopt;
  }

  virtual sys::ExitStatus run(const Spec& spec, const Output& output) = 0;
};

// By mount, pid, ipc, uts (and net) namespaces; needs root or a privileged task, and a mount namespace of our
// own. Temporary mounts are made in `directory` when the first step runs.
std::unique_ptr<Sandbox> make_namespaces(const std::filesystem::path& directory);

// By chroot(2), in a container with the usual fourteen capabilities that may neither mount nor make
// namespaces: Linux 5.9, or steps find no /proc. Spec::root is a plain directory that the step has alone.
// `directory` is a private one on the same filesystem, for what a step's mounts cover meanwhile. Makes this
// process one whose memory none of its user may read.
// It cannot bound a tmpfs, keep root of a step from writing to a read-only mount (that copy
// is thrown away), nor lend their rights to setuid programs of 32 bits of a user who is not root. Throws
// StartError for an insecure step.
std::unique_ptr<Sandbox> make_chroot(const std::filesystem::path& directory);

// Where no step can run: all are refused for that reason.
std::unique_ptr<Sandbox> make_none(const std::string& reason);

}  // namespace sandbox
