// The request as JSON and back. Each struct has its writer and its reader next to each other.
#include "common/document/request.hpp"

#include <nlohmann/json.hpp>

#include "common/document/fields.hpp"
#include "common/document/request_words.hpp"
#include "common/image/reference.hpp"
#include "common/util/error.hpp"

namespace document {
namespace {

using Json = nlohmann::ordered_json;
using Fields = util::JsonFields;

// A list of plain strings, each in an object of one field: the list can gain fields without a new schema for
// whoever reads it.
Json write_strings(const std::vector<std::string>& strings, const char* field) {
  return write_list<Json>(strings, [&](const std::string& text) { return Json{{field, text}}; });
}

std::vector<std::string> read_strings(const Fields& parent, const std::string& list, const char* field) {
  std::vector<std::string> strings;
  for (const auto& fields : parent.objects(list)) {
    fields.require_exactly({field});
    strings.push_back(read_name(fields, field));
  }
  return strings;
}

// A string field that `parse` takes; what it throws is said of the field.
template <typename Parse>
auto read_parsed(const Fields& fields, const std::string& name, Parse&& parse)
    -> decltype(parse(std::string())) {
  const auto text = read_text(fields, name);
  try {
    return parse(text);
  } catch (const util::Error& error) {
    fields.fail(name, error.what());
  }
}

template <typename Read>
auto read_list(const Fields& parent, const std::string& name, Read&& read) {
  std::vector<decltype(read(parent))> list;
  for (const auto& fields : parent.objects(name))
    list.push_back(read(fields));
  return list;
}

Json write_entitlement(Entitlement entitlement) {
  return {{"entitlement", to_string(entitlement)}};
}

Entitlement read_entitlement(const Fields& fields) {
  fields.require_exactly({"entitlement"});
  return read_word(fields, "entitlement", entitlements);
}

Json write_name_value(const NameValue& pair) {
  return {{"name", pair.name}, {"value", pair.value}};
}

NameValue read_name_value(const Fields& fields) {
  fields.require_exactly({"name", "value"});
  return {read_name(fields, "name"), read_text(fields, "value")};
}

Json write_target(const Target& target) {
  return {{"name", write_optional<Json>(target.name)}, {"output", write_optional<Json>(target.output)}};
}

Target read_target(const Fields& fields) {
  fields.require_exactly({"name", "output"});
  return {read_optional(fields, "name", read_name), read_optional(fields, "output", read_name)};
}

Json write_secret(const Secret& secret) {
  return {{"id", secret.id},
          {"env", write_optional<Json>(secret.env)},
          {"file", write_optional<Json>(secret.file)}};
}

Secret read_secret(const Fields& fields) {
  fields.require_exactly({"id", "env", "file"});
  if (fields.has("env") == fields.has("file")) fields.fail("env", "expected exactly one of env and file");
  return {read_name(fields, "id"), read_optional(fields, "env", read_name),
          read_optional(fields, "file", read_name)};
}

Json write_ssh(const Ssh& ssh) {
  const auto write_path = [](const std::filesystem::path& path) { return Json{{"path", path.string()}}; };
  return {{"id", ssh.id},
          {"env", write_optional<Json>(ssh.env)},
          {"paths", write_list<Json>(ssh.paths, write_path)},
          {"raw", ssh.raw}};
}

Ssh read_ssh(const Fields& fields) {
  fields.require_exactly({"id", "env", "paths", "raw"});
  Ssh ssh{.id = read_name(fields, "id"),
          .env = read_optional(fields, "env", read_name),
          .paths = {},
          .raw = fields.boolean("raw")};
  for (auto& path : read_strings(fields, "paths", "path"))
    ssh.paths.emplace_back(std::move(path));
  if (ssh.env && !ssh.paths.empty()) fields.fail("env", "expected at most one of env and paths");
  if (ssh.raw && ssh.paths.size() != 1) fields.fail("raw", "needs exactly one path");
  return ssh;
}

Json write_preload(const Preload& preload) {
  Json layout = nullptr;
  if (preload.layout) {
    layout = {{"directory", preload.layout->directory.string()}, {"digest", preload.layout->digest.str()}};
  }
  return {{"role", word_of(preload_roles, preload.role)},
          {"name", preload.name},
          {"path", preload.path.string()},
          {"layout", std::move(layout)}};
}

Preload::Layout read_layout(const Fields& parent, const std::string& name) {
  const auto fields = parent.object(name);
  fields.require_exactly({"directory", "digest"});
  return {read_name(fields, "directory"),
          read_parsed(fields, "digest", [](const std::string& text) { return hash::Digest::parse(text); })};
}

std::string read_context_name(const Fields& fields, const std::string& name) {
  return read_parsed(fields, name, [](const std::string& text) { return image::context_name(text); });
}

Preload read_preload(const Fields& fields) {
  fields.require_exactly({"role", "name", "path", "layout"});
  const auto role = read_word(fields, "role", preload_roles);
  return {role,
          role == Preload::Role::context ? read_context_name(fields, "name") : read_name(fields, "name"),
          read_name(fields, "path"), read_optional(fields, "layout", read_layout)};
}

Json write_context(const Context& context) {
  return {{"name", context.name}, {"directory", context.directory.string()}};
}

Context read_context(const Fields& fields) {
  fields.require_exactly({"name", "directory"});
  return {read_context_name(fields, "name"), read_name(fields, "directory")};
}

Json write_add_host(const AddHost& entry) {
  return {{"host", entry.host}, {"ip", entry.ip}};
}

AddHost read_add_host(const Fields& fields) {
  fields.require_exactly({"host", "ip"});
  return {read_name(fields, "host"), read_name(fields, "ip")};
}

Json write_repo_tag(const image::Reference& tag) {
  return {{"name", tag.full()}};
}

image::Reference read_repo_tag(const Fields& fields) {
  fields.require_exactly({"name"});
  return read_parsed(fields, "name", [](const std::string& text) { return image::parse_repo_tag(text); });
}

Json write_output(const Output& output) {
  Json compression = nullptr;
  if (output.compression) compression = to_string(*output.compression);
  return {{"format", to_string(output.format)},
          {"repo_tags", write_list<Json>(output.repo_tags, write_repo_tag)},
          {"unpack_rootfs", output.unpack_rootfs},
          {"rewrite_timestamp", output.rewrite_timestamp},
          {"compression", std::move(compression)},
          {"compression_level", write_optional<Json>(output.compression_level)}};
}

Output read_output(const Fields& fields) {
  fields.require_exactly(
      {"format", "repo_tags", "unpack_rootfs", "rewrite_timestamp", "compression", "compression_level"});
  Output output;
  output.format = read_word(fields, "format", output_formats);
  output.repo_tags = read_list(fields, "repo_tags", read_repo_tag);
  output.unpack_rootfs = fields.boolean("unpack_rootfs");
  output.rewrite_timestamp = fields.boolean("rewrite_timestamp");
  if (fields.has("compression")) output.compression = read_word(fields, "compression", compressions);
  output.compression_level = fields.optional_unsigned_integer("compression_level");
  if (output.compression_level && (!output.compression || *output.compression == Compression::none)) {
    fields.fail("compression_level", "needs a compression that has levels");
  }
  return output;
}

Json write_platform(const image::Platform& platform) {
  return {{"platform", platform.str()}};
}

image::Platform read_platform(const Fields& fields) {
  fields.require_exactly({"platform"});
  return read_parsed(fields, "platform",
                     [](const std::string& text) { return image::Platform::parse(text); });
}

Json write_attributes(const std::optional<Attributes>& attributes) {
  return attributes ? Json(attributes->str()) : Json(nullptr);
}

Attributes read_provenance(const Fields& fields, const std::string& name) {
  return read_parsed(fields, name, [](const std::string& text) { return parse_provenance(text); });
}

Attributes read_attributes(const Fields& fields, const std::string& name) {
  return read_parsed(fields, name, [](const std::string& text) { return Attributes::parse(text); });
}

Json write_cache_entry(const CacheEntry& entry) {
  return {{"entry", entry.attributes.str()}};
}

std::vector<CacheEntry> read_cache_entries(const Fields& parent, const std::string& list,
                                           CacheDirection direction) {
  return read_list(parent, list, [&](const Fields& fields) {
    fields.require_exactly({"entry"});
    return read_parsed(fields, "entry",
                       [&](const std::string& text) { return CacheEntry::parse(text, direction); });
  });
}

Json write_cache(const Cache& cache) {
  return {{"directory", write_optional<Json>(cache.directory)},
          {"from", write_list<Json>(cache.from, write_cache_entry)},
          {"to", write_list<Json>(cache.to, write_cache_entry)},
          {"max_size", write_optional<Json>(cache.max_size)},
          {"max_age", write_optional<Json>(cache.max_age)}};
}

Cache read_cache(const Fields& fields) {
  fields.require_exactly({"directory", "from", "to", "max_size", "max_age"});
  return {.directory = read_optional(fields, "directory", read_name),
          .from = read_cache_entries(fields, "from", CacheDirection::from),
          .to = read_cache_entries(fields, "to", CacheDirection::to),
          .max_size = fields.optional_unsigned_integer("max_size"),
          .max_age = fields.optional_unsigned_integer("max_age")};
}

Json write_remote(const std::optional<RemoteEngine>& remote) {
  if (!remote) return nullptr;
  return {{"host", remote->host},
          {"ca_cert", write_optional<Json>(remote->ca_cert)},
          {"cert", write_optional<Json>(remote->cert)},
          {"key", write_optional<Json>(remote->key)}};
}

RemoteEngine read_remote(const Fields& parent, const std::string& name) {
  const auto fields = parent.object(name);
  fields.require_exactly({"host", "ca_cert", "cert", "key"});
  if (fields.has("cert") != fields.has("key")) fields.fail("cert", "expected both of cert and key, or none");
  return {read_name(fields, "host"), read_optional(fields, "ca_cert", read_name),
          read_optional(fields, "cert", read_name), read_optional(fields, "key", read_name)};
}

}  // namespace

Attributes parse_provenance(std::string_view text) {
  auto attributes = Attributes::parse(text);
  const auto mode = attributes.value("mode");
  if (mode && *mode != "min" && *mode != "max") {
    throw util::Error("the mode " + util::quote(*mode) + " is neither 'min' nor 'max'" +
                      util::did_you_mean(*mode, {"min", "max"}));
  }
  return attributes;
}

Request parse_request(std::string_view json) {
  const auto document = util::parse_json(json, "request");
  const Fields fields(document, "request");
  require_schema(fields, request_schema);
  fields.require_exactly({"schema",
                          "engine",
                          "isolation",
                          "context",
                          "dockerfile",
                          "targets",
                          "platforms",
                          "build_args",
                          "labels",
                          "annotations",
                          "preloads",
                          "contexts",
                          "secrets",
                          "ssh",
                          "add_hosts",
                          "entitlements",
                          "proxies",
                          "output",
                          "no_cache",
                          "no_cache_stages",
                          "source_date_epoch",
                          "cache",
                          "provenance",
                          "sbom",
                          "registry_mirrors",
                          "buildkit_config",
                          "remote",
                          "docker_config",
                          "progress",
                          "graph",
                          "debug"});
  Request request;
  request.engine = read_word(fields, "engine", engine_choices);
  request.isolation = read_word(fields, "isolation", isolation_choices);
  request.context = read_name(fields, "context");
  request.dockerfile = read_name(fields, "dockerfile");
  request.targets = read_list(fields, "targets", read_target);
  if (request.targets.empty()) fields.fail("targets", "expected at least one");
  request.platforms = read_list(fields, "platforms", read_platform);
  request.build_args = read_list(fields, "build_args", read_name_value);
  request.labels = read_list(fields, "labels", read_name_value);
  request.annotations = read_list(fields, "annotations", read_name_value);
  request.preloads = read_list(fields, "preloads", read_preload);
  request.contexts = read_list(fields, "contexts", read_context);
  request.secrets = read_list(fields, "secrets", read_secret);
  request.ssh = read_list(fields, "ssh", read_ssh);
  request.add_hosts = read_list(fields, "add_hosts", read_add_host);
  request.entitlements = read_list(fields, "entitlements", read_entitlement);
  request.proxies = read_strings(fields, "proxies", "env");
  request.output = read_output(fields.object("output"));
  request.no_cache = fields.boolean("no_cache");
  request.no_cache_stages = read_strings(fields, "no_cache_stages", "name");
  request.source_date_epoch = read_optional(fields, "source_date_epoch", read_name);
  request.cache = read_cache(fields.object("cache"));
  request.provenance = read_optional(fields, "provenance", read_provenance);
  request.sbom = read_optional(fields, "sbom", read_attributes);
  request.registry_mirrors = read_strings(fields, "registry_mirrors", "host");
  request.buildkit_config = read_optional(fields, "buildkit_config", read_text);
  request.remote = read_optional(fields, "remote", read_remote);
  request.docker_config = read_optional(fields, "docker_config", read_name);
  request.progress = read_word(fields, "progress", progress_choices);
  request.graph = read_optional(fields, "graph", read_name);
  request.debug = fields.boolean("debug");
  return request;
}

std::string to_json(const Request& request) {
  return util::dump_json(Json{
      {"schema", request_schema},
      {"engine", to_string(request.engine)},
      {"isolation", to_string(request.isolation)},
      {"context", request.context.string()},
      {"dockerfile", request.dockerfile.string()},
      {"targets", write_list<Json>(request.targets, write_target)},
      {"platforms", write_list<Json>(request.platforms, write_platform)},
      {"build_args", write_list<Json>(request.build_args, write_name_value)},
      {"labels", write_list<Json>(request.labels, write_name_value)},
      {"annotations", write_list<Json>(request.annotations, write_name_value)},
      {"preloads", write_list<Json>(request.preloads, write_preload)},
      {"contexts", write_list<Json>(request.contexts, write_context)},
      {"secrets", write_list<Json>(request.secrets, write_secret)},
      {"ssh", write_list<Json>(request.ssh, write_ssh)},
      {"add_hosts", write_list<Json>(request.add_hosts, write_add_host)},
      {"entitlements", write_list<Json>(request.entitlements, write_entitlement)},
      {"proxies", write_strings(request.proxies, "env")},
      {"output", write_output(request.output)},
      {"no_cache", request.no_cache},
      {"no_cache_stages", write_strings(request.no_cache_stages, "name")},
      {"source_date_epoch", write_optional<Json>(request.source_date_epoch)},
      {"cache", write_cache(request.cache)},
      {"provenance", write_attributes(request.provenance)},
      {"sbom", write_attributes(request.sbom)},
      {"registry_mirrors", write_strings(request.registry_mirrors, "host")},
      {"buildkit_config", write_optional<Json>(request.buildkit_config)},
      {"remote", write_remote(request.remote)},
      {"docker_config", write_optional<Json>(request.docker_config)},
      {"progress", to_string(request.progress)},
      {"graph", write_optional<Json>(request.graph)},
      {"debug", request.debug},
  });
}

}  // namespace document
