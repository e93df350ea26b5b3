// The names of fields are those of solver/pb/ops.proto; like Go, it leaves out what is empty.
#include "common/attest/llb.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/dockerfile/remote.hpp"
#include "common/hash/base64.hpp"
#include "common/util/text.hpp"

namespace attest {
namespace {

using nlohmann::json;

enum MountKind { bind = 0, secret = 1, ssh = 2, cache = 3, tmpfs = 4 };

constexpr int no_input = -1;
constexpr int no_output = -1;
constexpr int now = -1;  // as a time of files

json whole(json kind, const image::Platform* platform = nullptr) {
  json op = {{"Op", std::move(kind)}, {"constraints", json::object()}};
  if (platform != nullptr) {
    op["platform"] = {{"OS", platform->os}, {"Architecture", platform->architecture}};
    if (!platform->variant.empty()) op["platform"]["Variant"] = platform->variant;
  }
  return op;
}

json source(const std::string& identifier, json attributes, const image::Platform* platform = nullptr) {
  json value = {{"identifier", identifier}};
  if (!attributes.empty()) value["attrs"] = std::move(attributes);
  return whole({{"source", std::move(value)}}, platform);
}

json action(const char* kind, json what, int input, int secondary, int output) {
  return {{"Action", {{kind, std::move(what)}}},
          {"input", input},
          {"secondaryInput", secondary},
          {"output", output}};
}

// "1", "name", "1:name".
json owner(const std::string& text) {
  const auto colon = text.find(':');
  const auto one = [](const std::string& word) -> json {
    if (const auto id = util::parse_uint(word)) {
      if (*id == 0) return {{"User", json::object()}};
      return {{"User", {{"byId", *id}}}};
    }
    return {{"User", {{"byName", {{"name", word}}}}}};
  };
  json value = {{"user", one(text.substr(0, colon))}};
  if (colon != std::string::npos) value["group"] = one(text.substr(colon + 1));
  return value;
}

void set_mode(json& copy, const std::string& chmod) {
  copy["mode"] = -1;
  if (chmod.empty()) return;
  const bool is_octal = std::all_of(chmod.begin(), chmod.end(), [](char c) { return c >= '0' && c <= '7'; });
  if (is_octal) {
    copy["mode"] = std::stoi(chmod.substr(0, 8), nullptr, 8);
  } else {
    copy["modeStr"] = chmod;
  }
}

json copy_action(const plan::Copy& op, const plan::Copy::Source& from) {
  json copy = {{"src", from.path.starts_with('/') ? from.path : "/" + from.path},
               {"dest", op.destination},
               {"createDestPath", true},
               {"timestamp", now}};
  set_mode(copy, op.chmod);
  if (!op.chown.empty()) copy["owner"] = owner(op.chown);
  if (from.wildcards) {
    for (const auto* name : {"allowWildcard", "allowEmptyWildcard", "dirCopyContents", "followSymlink"})
      copy[name] = true;
  }
  if (from.unpack_archives) copy["attemptUnpackDockerCompatibility"] = true;
  if (!op.excludes.empty()) copy["exclude_patterns"] = op.excludes;
  if (op.parents) {
    copy["src"] = "/";
    copy["include_patterns"] = json::array({from.path});
  }
  return copy;
}

json mount(const char* destination_of_root, int input) {
  json value = {{"dest", destination_of_root}};
  if (input != 0) value["input"] = input;
  return value;
}

json with_access(const dockerfile::Mount& options, int mode, bool has_id) {
  json value = {{"mode", options.mode.value_or(mode)}};
  if (has_id) value["ID"] = options.id;
  if (options.uid.value_or(0) != 0) value["uid"] = *options.uid;
  if (options.gid.value_or(0) != 0) value["gid"] = *options.gid;
  if (!options.required) value["optional"] = true;
  return value;
}

// The ids of cache mounts begin with what BUILDKIT_CACHE_MOUNT_NS says, and a slash anyway.
std::string cache_id(const std::string& id, const document::Request& request) {
  const bool has_namespace = std::any_of(
      request.build_args.begin(), request.build_args.end(),
      [](const auto& arg) { return arg.name == "BUILDKIT_CACHE_MOUNT_NS" && !arg.value.empty(); });
  return has_namespace ? id : "/" + id;
}

json files_mount(const plan::Run::Mount& mounted, LlbInputs& inputs, const document::Request& request) {
  const auto& options = mounted.options;
  json value = mount(options.target.c_str(), mounted.from ? inputs.index(*mounted.from) : no_input);
  value["output"] = no_output;
  if (mounted.from && options.source != "/" && !options.source.empty()) value["selector"] = options.source;
  if (options.read_only && options.type == dockerfile::MountType::bind) value["readonly"] = true;
  if (options.type == dockerfile::MountType::cache) {
    value["mountType"] = cache;
    value["cacheOpt"] = {{"ID", cache_id(options.id, request)}};
    const auto sharing = options.sharing.value_or(dockerfile::Sharing::shared);
    if (sharing != dockerfile::Sharing::shared)
      value["cacheOpt"]["sharing"] = sharing == dockerfile::Sharing::private_ ? 1 : 2;
    if (options.read_only) value["readonly"] = true;
  }
  if (options.type == dockerfile::MountType::tmpfs) {
    value["mountType"] = tmpfs;
    value["TmpfsOpt"] = json::object();
    if (options.size_limit != 0) value["TmpfsOpt"]["size"] = options.size_limit;
  }
  return value;
}

class LlbWriter {
public:
  LlbWriter(LlbInputs& inputs, const document::Request& request, const FindImage& find_image)
      : inputs_(inputs), request_(request), find_image_(find_image) {}

  json operator()(const plan::Scratch&) const { return {{"Op", json::object()}}; }
  json operator()(const plan::Pull& pull) const {
    const auto image = find_image_(pull);
    const bool is_local = image.origin == ImageOrigin::layout;
    const bool has_digest = image.name.find('@') != std::string::npos;
    return source((is_local ? "oci-layout://" : "docker-image://") + image.name +
                      (has_digest ? "" : "@" + image.digest.str()),
                  json::object(), &pull.platform);
  }
  json operator()(const plan::Local& local) const {
    const auto name = local.dockerfile.empty() ? "context-" + local.name : local.name;
    return source("local://" + name, json::object());
  }
  // Contexts out of elsewhere are of builds that are not attested here.
  json operator()(const plan::Fetched&) const { return whole(json::object()); }
  json operator()(const plan::MakeFile& file) const { return llb_file(file.name, file.content, 0644); }
  json operator()(const plan::Http& http) const {
    json attributes = {{"http.filename", http.file_name}};
    if (http.checksum) attributes["http.checksum"] = http.checksum->str();
    return source(dockerfile::without_login(http.url), std::move(attributes));
  }
  json operator()(const plan::Git& git) const {
    const auto remote = dockerfile::without_login(git.remote);
    const auto scheme = remote.find("://");
    auto identifier = "git://" + (scheme == std::string::npos ? remote : remote.substr(scheme + 3));
    if (!git.ref.empty() || !git.subdirectory.empty()) identifier += "#" + git.ref;
    if (!git.subdirectory.empty()) identifier += ":" + git.subdirectory;
    json attributes = {{"git.fullurl", remote}};
    if (remote.starts_with("http://") || remote.starts_with("https://")) {
      attributes["git.authheadersecret"] = "GIT_AUTH_HEADER";
      attributes["git.authtokensecret"] = "GIT_AUTH_TOKEN";
    } else {
      attributes["git.mountsshsock"] = "default";
    }
    if (git.keep_git_dir) attributes["git.keepgitdir"] = "true";
    if (!git.checksum.empty()) attributes["git.checksum"] = git.checksum;
    if (!git.submodules) attributes["git.skipsubmodules"] = "true";
    return source(identifier, std::move(attributes));
  }
  json operator()(const plan::Copy& copy) const {
    json actions = json::array();
    int input = inputs_.index(copy.base);
    std::vector<int> from;
    for (const auto& one : copy.sources)
      from.push_back(inputs_.index(one.from));
    const auto count = static_cast<int>(inputs_.ops().size());
    for (std::size_t i = 0; i < copy.sources.size(); ++i) {
      const bool is_last = i + 1 == copy.sources.size();
      actions.push_back(
          action("copy", copy_action(copy, copy.sources[i]), input, from[i], is_last ? 0 : no_output));
      input = count + static_cast<int>(i);  // what the action before made
    }
    return whole({{"file", {{"actions", std::move(actions)}}}});
  }
  json operator()(const plan::MakeDirectory& directory) const {
    json what = {{"path", directory.path}, {"mode", 0755}, {"makeParents", true}, {"timestamp", now}};
    if (!directory.user.empty()) what["owner"] = owner(directory.user);
    return whole({{"file",
                   {{"actions", json::array({action("mkdir", std::move(what), inputs_.index(directory.base),
                                                    no_input, 0)})}}}});
  }
  json operator()(const plan::Run& run) const {
    // As LLB sorts them: files by their targets, then what belongs to the client.
    const json root = mount("/", inputs_.index(run.root));
    std::vector<const plan::Run::Mount*> of_files;
    json others = json::array();
    json agents = json::array();
    json secrets = json::array();
    for (const auto& mounted : run.mounts) {
      const auto& options = mounted.options;
      if (options.type == dockerfile::MountType::secret) {
        add_secret(options, others, secrets);
      } else if (options.type == dockerfile::MountType::ssh) {
        agents.push_back({{"dest", agent_path(options, agents.size())},
                          {"input", no_input},
                          {"mountType", ssh},
                          {"SSHOpt", with_access(options, 0600, options.id != "default")}});
      } else {
        of_files.push_back(&mounted);
      }
    }
    std::stable_sort(of_files.begin(), of_files.end(), [](const auto* one, const auto* other) {
      return one->options.target < other->options.target;
    });
    json mounts = json::array({root});
    for (const auto* mounted : of_files)
      mounts.push_back(files_mount(*mounted, inputs_, request_));
    if (run.script) {
      const auto input = static_cast<int>(inputs_.ops().size());
      mounts.push_back({{"dest", "/dev/pipes/"},
                        {"selector", "/"},
                        {"input", input},
                        {"output", no_output},
                        {"readonly", true}});
    }
    mounts.insert(mounts.end(), others.begin(), others.end());
    mounts.insert(mounts.end(), agents.begin(), agents.end());
    json exec = {{"meta", meta_of(run, agents)}, {"mounts", std::move(mounts)}};
    if (!secrets.empty()) exec["secretenv"] = std::move(secrets);
    if (run.network != dockerfile::Network::sandbox)
      exec["network"] = run.network == dockerfile::Network::host ? 1 : 2;
    if (run.security == dockerfile::Security::insecure) exec["security"] = 1;
    return whole({{"exec", std::move(exec)}}, &run.platform);
  }

private:
  static std::string agent_path(const dockerfile::Mount& options, std::size_t number) {
    return options.target.empty() ? "/run/buildkit/ssh_agent." + std::to_string(number) : options.target;
  }

  static void add_secret(const dockerfile::Mount& options, json& mounts, json& variables) {
    if (options.env) {
      variables.push_back({{"ID", options.id}, {"name", options.env->empty() ? options.id : *options.env}});
      if (!options.required) variables.back()["optional"] = true;
    }
    if (options.env && options.target.empty()) return;
    mounts.push_back({{"dest", options.target},
                      {"input", no_input},
                      {"mountType", secret},
                      {"secretOpt", with_access(options, 0400, true)}});
  }

  json meta_of(const plan::Run& run, const json& agents) const {
    json meta = {{"args", run.arguments}, {"cwd", run.working_dir}};
    auto environment = run.environment;
    if (!agents.empty()) environment.push_back("SSH_AUTH_SOCK=" + agents[0]["dest"].get<std::string>());
    if (!environment.empty()) meta["env"] = environment;
    if (!run.user.empty()) meta["user"] = run.user;
    if (!run.hostname.empty()) meta["hostname"] = run.hostname;
    for (const auto& host : request_.add_hosts)
      meta["extraHosts"].push_back({{"Host", host.host}, {"IP", host.ip}});
    return meta;
  }

  LlbInputs& inputs_;
  const document::Request& request_;
  const FindImage& find_image_;
};

}  // namespace

int LlbInputs::index(plan::OpId id) {
  if (std::holds_alternative<plan::Scratch>(graph_.ops[id].action)) return no_input;
  const auto found = std::find(ops_.begin(), ops_.end(), id);
  if (found != ops_.end()) return static_cast<int>(found - ops_.begin());
  ops_.push_back(id);
  return static_cast<int>(ops_.size()) - 1;
}

json llb_op(const plan::Op& op, LlbInputs& inputs, const document::Request& request,
            const FindImage& find_image) {
  return std::visit(LlbWriter(inputs, request, find_image), op.action);
}

json llb_file(const std::string& name, const std::string& content, int mode) {
  json what = {{"path", name.starts_with('/') ? name : "/" + name}, {"mode", mode}, {"timestamp", now}};
  if (!content.empty()) what["data"] = hash::encode_base64(content);
  return whole(
      {{"file", {{"actions", json::array({action("mkfile", std::move(what), no_input, no_input, 0)})}}}});
}

}  // namespace attest
