// Reading and writing image configs byte for byte as Go programs do.
#include "common/plan/image_config.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/util/error.hpp"
#include "common/util/json.hpp"

namespace plan {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view default_path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// A field of Go's encoding/json with "omitempty".
template <typename Value>
void put(Json& object, const char* name, const Value& value) {
  if (value != Value{}) object[name] = value;
}

void put_set(Json& object, const char* name, const std::set<std::string>& values) {
  for (const auto& value : values)
    object[name][value] = Json::object();
}

std::vector<std::string> strings(const util::JsonFields& fields, const std::string& name) {
  return fields.has(name) ? fields.strings(name) : std::vector<std::string>();
}

std::set<std::string> keys(const util::JsonFields& fields, const std::string& name) {
  std::set<std::string> names;
  if (!fields.has(name)) return names;
  [[maybe_unused]] const auto checked = fields.object(name);
  for (const auto& [key, value] : fields.at(name).items())
    names.insert(key);
  return names;
}

std::int64_t integer(const util::JsonFields& fields, const std::string& name) {
  return fields.has(name) ? fields.integer(name) : 0;
}

Healthcheck parse_healthcheck(const util::JsonFields& fields) {
  return {.test = strings(fields, "Test"),
          .interval = std::chrono::nanoseconds(integer(fields, "Interval")),
          .timeout = std::chrono::nanoseconds(integer(fields, "Timeout")),
          .start_period = std::chrono::nanoseconds(integer(fields, "StartPeriod")),
          .start_interval = std::chrono::nanoseconds(integer(fields, "StartInterval")),
          .retries = integer(fields, "Retries")};
}

Json to_json(const Healthcheck& healthcheck) {
  Json object = Json::object();
  put(object, "Test", healthcheck.test);
  put(object, "Interval", healthcheck.interval.count());
  put(object, "Timeout", healthcheck.timeout.count());
  put(object, "StartPeriod", healthcheck.start_period.count());
  put(object, "StartInterval", healthcheck.start_interval.count());
  put(object, "Retries", healthcheck.retries);
  return object;
}

Json inner_config(const ImageConfig& config) {
  Json object = Json::object();
  put(object, "User", config.user);
  put_set(object, "ExposedPorts", config.exposed_ports);
  put(object, "Env", config.env);
  put(object, "Entrypoint", config.entrypoint);
  put(object, "Cmd", config.cmd);
  put_set(object, "Volumes", config.volumes);
  put(object, "WorkingDir", config.working_dir);
  put(object, "Labels", config.labels);
  put(object, "StopSignal", config.stop_signal);
  put(object, "ArgsEscaped", config.args_escaped);
  if (config.healthcheck) object["Healthcheck"] = to_json(*config.healthcheck);
  put(object, "OnBuild", config.on_build);
  put(object, "Shell", config.shell);
  return object;
}

Json to_json(const std::vector<HistoryRecord>& history) {
  if (history.empty()) return nullptr;
  Json list = Json::array();
  for (const auto& record : history) {
    Json entry = Json::object();
    if (record.created) entry["created"] = record.created->str();
    put(entry, "created_by", record.created_by);
    put(entry, "author", record.author);
    put(entry, "comment", record.comment);
    put(entry, "empty_layer", record.empty_layer);
    list.push_back(std::move(entry));
  }
  return list;
}

Json rootfs(const std::vector<hash::Digest>& diff_ids) {
  Json list = nullptr;
  for (const auto& diff_id : diff_ids)
    list.push_back(diff_id.str());
  return {{"type", "layers"}, {"diff_ids", list}};
}

HistoryRecord parse_record(const util::JsonFields& entry, const std::string& what) {
  HistoryRecord record{.created_by = entry.optional_string("created_by").value_or(""),
                       .author = entry.optional_string("author").value_or(""),
                       .comment = entry.optional_string("comment").value_or(""),
                       .empty_layer = entry.has("empty_layer") && entry.boolean("empty_layer")};
  if (const auto created = entry.optional_string("created"))
    record.created = util::with_context(what, [&] { return util::Date::parse(*created); });
  return record;
}

std::vector<HistoryRecord> parse_history(const util::JsonFields& top, const std::string& what) {
  std::vector<HistoryRecord> history;
  if (!top.has("history")) return history;
  const auto& entries = top.at("history");
  if (!entries.is_array()) top.fail("history", "expected a list of objects");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].is_null()) {
      history.emplace_back();
    } else {
      history.push_back(parse_record(top.element("history", i), what));
    }
  }
  return history;
}

}  // namespace

ImageConfig ImageConfig::scratch(const image::Platform& platform) {
  ImageConfig config;
  config.platform = platform;
  config.env = {std::string(default_path)};
  config.working_dir = "/";
  return config;
}

ImageConfig ImageConfig::parse(std::string_view json, const std::string& what) {
  const auto document = util::parse_json(json, what);
  const util::JsonFields top(document, what);
  ImageConfig config;
  config.author = top.optional_string("author").value_or("");
  config.platform = {.os = top.optional_string("os").value_or(""),
                     .architecture = top.optional_string("architecture").value_or(""),
                     .variant = top.optional_string("variant").value_or("")};
  config.os_version = top.optional_string("os.version").value_or("");
  config.os_features = strings(top, "os.features");
  if (const auto inner = top.optional_object("config")) {
    config.user = inner->optional_string("User").value_or("");
    config.exposed_ports = keys(*inner, "ExposedPorts");
    config.env = strings(*inner, "Env");
    config.entrypoint = strings(*inner, "Entrypoint");
    config.cmd = strings(*inner, "Cmd");
    config.volumes = keys(*inner, "Volumes");
    config.working_dir = inner->optional_string("WorkingDir").value_or("");
    if (inner->has("Labels")) {
      const auto labels = inner->object("Labels");
      for (const auto& [name, value] : inner->at("Labels").items())
        config.labels[name] = labels.string(name);
    }
    config.stop_signal = inner->optional_string("StopSignal").value_or("");
    config.args_escaped = inner->has("ArgsEscaped") && inner->boolean("ArgsEscaped");
    if (inner->has("Healthcheck")) config.healthcheck = parse_healthcheck(inner->object("Healthcheck"));
    config.on_build = strings(*inner, "OnBuild");
    config.shell = strings(*inner, "Shell");
  }
  const auto has_path = std::any_of(config.env.begin(), config.env.end(), [](const std::string& variable) {
    return variable == "PATH" || variable.starts_with("PATH=");
  });
  if (!has_path) config.env.emplace_back(default_path);
  // Read for what is wrong with it: it is asked for only when all has run.
  [[maybe_unused]] const auto history = parse_history(top, what);
  return config;
}

void ImageConfig::set_platform(const image::Platform& asked) {
  const bool is_that = platform.os == asked.os && platform.architecture == asked.architecture;
  platform.os = asked.os;
  platform.architecture = asked.architecture;
  if (!asked.variant.empty() || !is_that) platform.variant = asked.variant;
  if (!is_that) os_version.clear();
}

void ImageConfig::normalize_platform() {
  platform = platform.normalized();
  std::sort(os_features.begin(), os_features.end());
  os_features.erase(std::unique(os_features.begin(), os_features.end()), os_features.end());
}

std::vector<HistoryRecord> parse_history(std::string_view json, const std::string& what) {
  const auto document = util::parse_json(json, what);
  return parse_history(util::JsonFields(document, what), what);
}

std::string to_json(const ImageConfig& config, const std::vector<HistoryRecord>& history,
                    const std::vector<hash::Digest>& diff_ids) {
  Json document = Json::object();
  document["architecture"] = config.platform.architecture;
  put(document, "author", config.author);
  document["config"] = inner_config(config);
  document["created"] = nullptr;
  for (const auto& record : history) {
    if (record.created) document["created"] = record.created->str();
  }
  document["history"] = to_json(history);
  document["os"] = config.platform.os;
  put(document, "os.features", config.os_features);
  put(document, "os.version", config.os_version);
  document["rootfs"] = rootfs(diff_ids);
  put(document, "variant", config.platform.variant);
  return util::dump_go_json(document);
}

}  // namespace plan
