// The request: everything a build is to do, as one document between oci-params, oci-preload and oci-solve.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/document/attributes.hpp"
#include "common/document/cache_entry.hpp"
#include "common/hash/digest.hpp"
#include "common/image/descriptor.hpp"
#include "common/image/reference.hpp"
#include "common/util/error.hpp"

// Paths in both documents are relative to the directory that the tools run in, or absolute.
namespace document {

inline constexpr std::string_view request_schema = "oci-build/request/1";

// What to build with: `automatic` leaves the choice to oci-solve.
enum class EngineChoice { automatic, buildkit, native };

// What separates the steps of the native engine from what is around them: `automatic` takes the first that
// works.
enum class IsolationChoice { automatic, namespaces, userns, chroot, copies };

// How the build is shown on stderr: `automatic` is a live view on a terminal and lines elsewhere.
enum class ProgressChoice { automatic, plain, tty, quiet, rawjson };

struct NameValue {
  std::string name;
  std::string value;
};

// One image to build. Its files go to `output`, a directory that exists; nothing = build only, export
// nothing.
struct Target {
  std::optional<std::string> name;  // nothing = the last stage of the Dockerfile
  std::optional<std::filesystem::path> output;
};

// A secret travels as a reference: the name of an environment variable, or a file. Exactly one is given.
struct Secret {
  std::string id;
  std::optional<std::string> env;
  std::optional<std::filesystem::path> file;
};

// SSH access for RUN --mount=type=ssh: a variable that holds a private key, or key files or one agent socket.
// Neither means the agent of SSH_AUTH_SOCK.
struct Ssh {
  std::string id;
  std::optional<std::string> env;
  std::vector<std::filesystem::path> paths;
  bool raw = false;  // the one path is a socket whose bytes are passed on as they are
};

// An image that lies on disk and stands in for one that would be pulled.
struct Preload {
  // What it is for: IMAGE_ARG_x sets the build arg x to a reference; BUILD_CONTEXTS serves a name as it
  // stands.
  enum class Role { build_arg, context };
  // Filled in by oci-preload: an OCI layout directory, and the digest of the manifest or index in it to use.
  struct Layout {
    std::filesystem::path directory;
    hash::Digest digest;
  };

  Role role;
  std::string name;  // of a context: image::context_name
  std::filesystem::path path;
  std::optional<Layout> layout;
};

// A plain directory given as a named context.
struct Context {
  std::string name;  // image::context_name
  std::filesystem::path directory;
};

struct AddHost {
  std::string host;
  std::string ip;
};

// What steps may ask for that is not theirs by default: RUN --network=host, RUN --security=insecure.
enum class Entitlement { network_host, security_insecure };

enum class OutputFormat { docker, oci };
enum class Compression { gzip, zstd, none };

struct Output {
  OutputFormat format = OutputFormat::docker;
  // What `docker load` calls the main target's image: each with a tag and without a digest, none twice.
  std::vector<image::Reference> repo_tags;
  bool unpack_rootfs = false;
  bool rewrite_timestamp = false;
  std::optional<Compression> compression;          // nothing = the engine's own choice
  std::optional<std::uint64_t> compression_level;  // only beside `compression`, and not with none
};

struct Cache {
  std::optional<std::filesystem::path> directory;  // the task's cache/, used and rewritten
  std::vector<CacheEntry> from;
  std::vector<CacheEntry> to;
  // What the native engine lets stay in `directory` or its own, after a build; nothing = its own choice.
  std::optional<std::uint64_t> max_size;  // bytes
  std::optional<std::uint64_t> max_age;   // seconds since the last use
};

// BUILDKIT_HOST and what goes with it.
struct RemoteEngine {
  std::string host;
  std::optional<std::filesystem::path> ca_cert;
  std::optional<std::filesystem::path> cert;
  std::optional<std::filesystem::path> key;
};

struct Request {
  EngineChoice engine = EngineChoice::automatic;
  IsolationChoice isolation = IsolationChoice::automatic;  // of the native engine
  std::filesystem::path context = ".";
  std::filesystem::path dockerfile;
  std::vector<Target> targets;             // at least one; built in this order, the main one last
  std::vector<image::Platform> platforms;  // empty = the engine's own
  std::vector<NameValue> build_args;
  std::vector<NameValue> labels;
  std::vector<NameValue> annotations;
  std::vector<Preload> preloads;
  std::vector<Context> contexts;
  std::vector<Secret> secrets;
  std::vector<Ssh> ssh;
  std::vector<AddHost> add_hosts;
  std::vector<Entitlement> entitlements;
  std::vector<std::string> proxies;  // names of environment variables: "http_proxy", "NO_PROXY"
  Output output;
  bool no_cache = false;
  std::vector<std::string> no_cache_stages;      // whose steps alone run again
  std::optional<std::string> source_date_epoch;  // seconds since 1970, or a word of BuildKit's: "context"
  Cache cache;
  std::optional<Attributes> provenance;  // nothing = off; of a mode that there is
  std::optional<Attributes> sbom;
  std::vector<std::string> registry_mirrors;   // of docker.io, in order
  std::optional<std::string> buildkit_config;  // TOML, merged with ours
  std::optional<RemoteEngine> remote;
  std::optional<std::filesystem::path> docker_config;  // directory that holds config.json
  ProgressChoice progress = ProgressChoice::automatic;
  std::optional<std::filesystem::path>
      graph;  // file that shows the steps afterwards, DOT or HTML by its name
  bool debug = false;
};

// BuildKit's words for PROVENANCE: "mode=max". Throws util::Error for a mode that it does not have, and what
// Attributes::parse throws.
Attributes parse_provenance(std::string_view text);

// The words that stand for the values in documents: "auto", "network.host", "docker", "gzip".
std::string_view to_string(EngineChoice choice);
std::string_view to_string(IsolationChoice choice);
std::string_view to_string(ProgressChoice choice);
std::string_view to_string(Entitlement entitlement);
std::string_view to_string(OutputFormat format);
std::string_view to_string(Compression compression);
std::optional<Entitlement> parse_entitlement(std::string_view word);
std::optional<OutputFormat> parse_output_format(std::string_view word);

// The value that `word` stands for. Throws util::Error with `code` for any other word: "SOURCE: 'gzp' is none
// of 'gzip', 'zstd', 'none'; did you mean 'gzip'?", where `source` is the parameter or the option.
EngineChoice parse_engine_choice(std::string_view source, std::string_view word,
                                 util::ExitCode code = util::ExitCode::failed);
IsolationChoice parse_isolation_choice(std::string_view source, std::string_view word,
                                       util::ExitCode code = util::ExitCode::failed);
ProgressChoice parse_progress_choice(std::string_view source, std::string_view word,
                                     util::ExitCode code = util::ExitCode::failed);
Compression parse_compression(std::string_view source, std::string_view word);

// Throws util::Error naming the field for anything but a request of this schema: a field that is missing or
// unknown, of another type, or a value that breaks what the structs above say.
Request parse_request(std::string_view json);

// One line of JSON, without a newline. Throws util::Error if a string in it is not UTF-8.
std::string to_json(const Request& request);

}  // namespace document
