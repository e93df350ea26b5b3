// The command line of buildctl (cmd/buildctl/build.go, docs/reference/buildctl.md).
#include "common/buildkit/buildctl.hpp"

#include <algorithm>
#include <cstdlib>

#include "common/buildkit/programs.hpp"
#include "common/document/context_url.hpp"
#include "common/engine/multi_platform.hpp"
#include "common/engine/preloads.hpp"
#include "common/util/characters.hpp"
#include "common/util/csv.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace buildkit {
namespace {

// Collects options: `--name value`, and the frontend's `--opt key=value`.
class Arguments {
public:
  explicit Arguments(std::vector<std::string> start) : list_(std::move(start)) {}

  void option(const std::string& name, const std::string& value) {
    list_.push_back(name);
    list_.push_back(value);
  }
  void frontend(const std::string& key, const std::string& value) { option("--opt", key + "=" + value); }
  void flag(const std::string& name) { list_.push_back(name); }

  std::vector<std::string> take() { return std::move(list_); }

private:
  std::vector<std::string> list_;
};

void add_address(Arguments& arguments, const document::RemoteEngine& address) {
  arguments.option("--addr", address.host);
  if (address.ca_cert) arguments.option("--tlscacert", address.ca_cert->string());
  if (address.cert) arguments.option("--tlscert", address.cert->string());
  if (address.key) arguments.option("--tlskey", address.key->string());
}

// The predefined proxy arguments reach pulls and RUN steps and nothing else. buildctl takes a value from its
// environment when none is given, so that a password in it is not in an argv. BuildKit does not look at the
// case of these names: what the user gives as a build arg must be the only one.
void add_proxies(Arguments& arguments, const document::Request& request) {
  for (const auto& proxy : request.proxies) {
    const bool given =
        std::any_of(request.build_args.begin(), request.build_args.end(),
                    [&](const auto& arg) { return util::equal_without_case(arg.name, proxy); });
    if (!given) arguments.option("--opt", "build-arg:" + proxy);
  }
}

void add_contexts(Arguments& arguments, const document::Request& request) {
  if (document::is_url(request.context)) {
    arguments.frontend("context", request.context.string());
    arguments.frontend("filename", request.dockerfile.string());
  } else {
    const auto dockerfile_directory = request.dockerfile.parent_path();
    arguments.option("--local", "context=" + request.context.string());
    arguments.option("--local",
                     "dockerfile=" + (dockerfile_directory.empty() ? "." : dockerfile_directory.string()));
    arguments.frontend("filename", request.dockerfile.filename().string());
  }

  const auto images = engine::name_preloads(request.preloads);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto& image = images[i];
    arguments.option("--oci-layout", image.store + "=" + image.layout.directory.string());
    arguments.frontend("context:" + image.reference,
                       "oci-layout://" + image.store + "@" + image.layout.digest.str());
    if (request.preloads[i].role == document::Preload::Role::build_arg) {
      arguments.frontend("build-arg:" + request.preloads[i].name, image.reference);
    }
  }
  for (const auto& context : request.contexts) {
    const auto name = "context-" + context.name;  // history may hold it
    arguments.option("--local", name + "=" + context.directory.string());
    arguments.frontend("context:" + context.name, "local:" + name);
  }
}

void add_frontend_options(Arguments& arguments, const document::Request& request) {
  add_proxies(arguments, request);
  for (const auto& [name, value] : request.build_args)
    arguments.frontend("build-arg:" + name, value);
  if (request.source_date_epoch)
    arguments.frontend("build-arg:SOURCE_DATE_EPOCH", *request.source_date_epoch);
  for (const auto& [name, value] : request.labels)
    arguments.frontend("label:" + name, value);
  if (!request.platforms.empty()) {
    std::vector<std::string> platforms;
    for (const auto& platform : request.platforms)
      platforms.push_back(platform.str());
    arguments.frontend("platform", util::join(platforms, ","));
  }
  if (!request.add_hosts.empty()) {
    std::vector<std::string> hosts;
    for (const auto& [host, ip] : request.add_hosts)
      hosts.push_back(host + "=" + ip);
    arguments.frontend("add-hosts", util::csv_record(hosts));
  }
  for (const auto entitlement : request.entitlements)
    arguments.option("--allow", std::string(to_string(entitlement)));
  if (request.no_cache) {
    arguments.flag("--no-cache");
  } else if (!request.no_cache_stages.empty()) {
    arguments.frontend("no-cache", util::join(request.no_cache_stages, ","));
  }
  if (request.provenance) arguments.frontend("attest:provenance", request.provenance->str());
  if (request.sbom) arguments.frontend("attest:sbom", request.sbom->str());
}

void add_secrets(Arguments& arguments, const document::Request& request) {
  for (const auto& secret : request.secrets) {
    const auto source = secret.env ? "env=" + *secret.env : "src=" + secret.file.value().string();
    arguments.option("--secret", util::csv_record({"id=" + secret.id, source}));
  }
}

void check_annotation(const std::string& name) {
  // buildctl lowers every key of --output.
  if (std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    throw util::Error(
        "annotation " + util::quote(name) +
        " has upper-case letters, which BuildKit's client cannot pass on; write it in lower case");
  }
}

std::string output_record(const document::Request& request, const Solve& solve) {
  const bool oci = request.output.format == document::OutputFormat::oci;
  std::vector<std::string> fields = {oci ? "type=oci" : "type=docker", "dest=" + solve.destination->string()};
  if (oci) fields.push_back("tar=false");
  std::vector<std::string> names;
  for (const auto& tag : solve.repo_tags)
    names.push_back(tag.full());
  if (!names.empty()) fields.push_back("name=" + util::join(names, ","));
  for (const auto& attribute : compression_attributes(request.output))
    fields.push_back(attribute);
  if (request.output.rewrite_timestamp) fields.push_back("rewrite-timestamp=true");
  for (const auto& [name, value] : request.annotations) {
    check_annotation(name);
    fields.push_back("annotation." + name + "=" + value);
    // Where there is an index, people look at it first.
    if (engine::is_multi_platform(request)) fields.push_back("annotation-index." + name + "=" + value);
  }
  return util::csv_record(fields);
}

std::string ssh_specification(const document::Ssh& ssh) {
  std::vector<std::string> paths;
  for (const auto& path : ssh.paths) {
    if (path.string().find(',') != std::string::npos) {
      throw util::Error("BUILDKIT_SSH: the path " + util::quote(path.string()) +
                        " has a comma, which BuildKit's client takes for a separator; rename it");
    }
    paths.push_back(path.string());
  }
  if (ssh.raw) paths.emplace_back("raw=true");
  return paths.empty() ? ssh.id : ssh.id + "=" + util::join(paths, ",");
}

}  // namespace

std::vector<std::string> solve_arguments(const document::Request& request,
                                         const document::RemoteEngine& address, const Solve& solve,
                                         const std::vector<std::string>& ssh) {
  Arguments arguments({"buildctl"});
  add_address(arguments, address);
  arguments.flag("build");
  arguments.flag("--progress=" + solve.progress);
  if (solve.trace) arguments.option("--trace", *solve.trace);
  arguments.option("--frontend", "dockerfile.v0");
  add_contexts(arguments, request);
  if (solve.target) arguments.frontend("target", *solve.target);
  add_frontend_options(arguments, request);
  add_secrets(arguments, request);
  for (const auto& specification : ssh)
    arguments.option("--ssh", specification);
  if (solve.destination) arguments.option("--output", output_record(request, solve));
  for (const auto& record : solve.cache_imports)
    arguments.option("--import-cache", record);
  for (const auto& entry : request.cache.from)
    arguments.option("--import-cache", entry.attributes.str());
  for (const auto& record : solve.cache_exports)
    arguments.option("--export-cache", record);
  for (const auto& entry : request.cache.to)
    arguments.option("--export-cache", entry.attributes.str());
  return arguments.take();
}

std::map<std::string, std::string> frontend_attributes(const document::Request& request,
                                                       const std::optional<std::string>& target) {
  Arguments arguments({});
  add_contexts(arguments, request);
  if (target) arguments.frontend("target", *target);
  add_frontend_options(arguments, request);
  const auto list = arguments.take();
  std::map<std::string, std::string> attributes;
  if (request.no_cache) attributes["no-cache"] = "";
  for (std::size_t i = 0; i + 1 < list.size(); ++i) {
    if (list[i] != "--opt") continue;
    const auto& option = list[++i];
    const auto equals = option.find('=');
    const auto name = option.substr(0, equals);
    if (equals != std::string::npos) {
      attributes[name] = option.substr(equals + 1);
    } else if (const char* value = std::getenv(name.substr(name.find(':') + 1).c_str())) {
      attributes[name] = value;
    }
  }
  return attributes;
}

std::vector<std::string> compression_attributes(const document::Output& output) {
  std::vector<std::string> attributes;
  if (output.compression == document::Compression::none) {
    attributes.emplace_back("compression=uncompressed");
  } else if (output.compression) {
    attributes.push_back("compression=" + std::string(document::to_string(*output.compression)));
  }
  if (output.compression_level) {
    attributes.push_back("compression-level=" + std::to_string(*output.compression_level));
  }
  return attributes;
}

std::vector<std::string> client_environment(const document::Request& request,
                                            const std::vector<std::string>& environment) {
  std::vector<std::string> result;
  for (const auto& variable : environment) {
    const auto name = variable.substr(0, variable.find('='));
    if (name == "SOURCE_DATE_EPOCH" || name == "BUILDKIT_HOST") continue;
    if (name == "DOCKER_CONFIG" && request.docker_config) continue;
    result.push_back(variable);
  }
  if (request.docker_config) result.push_back("DOCKER_CONFIG=" + request.docker_config->string());
  return result;
}

SshForwarding::SshForwarding(const std::vector<document::Ssh>& ssh) {
  for (const auto& agent : ssh) {
    if (!agent.env) {
      specifications_.push_back(ssh_specification(agent));
      continue;
    }
    const char* key = std::getenv(agent.env->c_str());
    if (key == nullptr) throw util::Error(*agent.env + " is not set, though the request names it");
    // ssh keys end in a newline, which a parameter may have lost.
    keys_.push_back(sys::make_memory_file(std::string(key) + "\n", *agent.env));
    specifications_.push_back(agent.id + "=/proc/self/fd/" + std::to_string(keys_.back().get()));
  }
}

std::vector<int> SshForwarding::kept_fds() const {
  std::vector<int> fds;
  for (const auto& key : keys_)
    fds.push_back(key.get());
  return fds;
}

sys::Child start_solve(const document::Request& request, const document::RemoteEngine& address, Solve solve,
                       const SshForwarding& ssh, const Progress& progress) {
  sys::Command command;
  solve.progress = progress.mode();
  solve.trace = "/proc/self/fd/" + std::to_string(progress.trace_fd());
  command.argv = solve_arguments(request, address, solve, ssh.specifications());
  util::log::debug("running " + util::escape(util::join(command.argv, " "), 100'000));
  command.argv.front() = find_part("buildctl").string();
  command.environment = client_environment(request, sys::own_environment());
  command.stdout_fd = progress.fd();  // our stdout carries the result
  command.stderr_fd = progress.fd();
  command.kept_fds = ssh.kept_fds();
  command.kept_fds.push_back(progress.trace_fd());
  return sys::start(command);
}

}  // namespace buildkit
