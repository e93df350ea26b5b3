// Updates as JSON and back.
#include "common/display/update.hpp"

#include <nlohmann/json.hpp>

#include "common/hash/base64.hpp"
#include "common/util/date.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace display {
namespace {

using namespace std::chrono;
using Ordered = nlohmann::ordered_json;
using Parsed = nlohmann::json;

std::string time_text(Time time) {
  const auto whole = floor<seconds>(time);
  return util::Date{
      .seconds = whole.time_since_epoch().count(),
      .nanoseconds = static_cast<std::int32_t>(duration_cast<nanoseconds>(time - whole).count())}
      .str();
}

void add_time(Ordered& object, const char* name, const std::optional<Time>& time) {
  if (time) object[name] = time_text(*time);
}

Ordered write(const Vertex& vertex) {
  Ordered object = {{"digest", vertex.digest}};
  if (!vertex.inputs.empty()) object["inputs"] = vertex.inputs;
  object["name"] = vertex.name;
  add_time(object, "started", vertex.started);
  add_time(object, "completed", vertex.completed);
  if (vertex.cached) object["cached"] = true;
  if (!vertex.error.empty()) object["error"] = vertex.error;
  return object;
}

Ordered write(const Status& status) {
  Ordered object = {{"id", status.id}, {"vertex", status.vertex}};
  if (status.total > 0) object["total"] = status.total;
  object["current"] = status.current;
  object["timestamp"] = time_text(system_clock::now());
  add_time(object, "started", status.started);
  add_time(object, "completed", status.completed);
  return object;
}

Ordered write(const Log& log) {
  return {{"vertex", log.vertex},
          {"stream", 1},
          {"data", hash::encode_base64(log.data)},
          {"timestamp", time_text(log.timestamp)}};
}

Ordered write(const Warning& warning) {
  return {{"vertex", warning.vertex}, {"level", 1}, {"short", hash::encode_base64(warning.text)}};
}

template <typename Part>
void add_list(Ordered& object, const char* name, const std::vector<Part>& parts) {
  for (const auto& part : parts)
    object[name].push_back(write(part));
}

std::string text(const Parsed& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string bytes(const Parsed& object, const char* name) {
  return hash::decode_base64(text(object, name)).value_or("");
}

bool is_true(const Parsed& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::uint64_t number(const Parsed& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::optional<Time> time(const Parsed& object, const char* name) {
  const auto written = text(object, name);
  if (written.empty()) return std::nullopt;
  try {
    const auto date = util::Date::parse(written);
    return Time(duration_cast<Time::duration>(seconds(date.seconds) + nanoseconds(date.nanoseconds)));
  } catch (const util::Error&) {
    return std::nullopt;
  }
}

Vertex read_vertex(const Parsed& object) {
  Vertex vertex{.digest = text(object, "digest"),
                .inputs = {},
                .name = text(object, "name"),
                .started = time(object, "started"),
                .completed = time(object, "completed"),
                .cached = is_true(object, "cached"),
                .error = text(object, "error")};
  if (const auto inputs = object.find("inputs"); inputs != object.end() && inputs->is_array()) {
    for (const auto& input : *inputs) {
      if (input.is_string()) vertex.inputs.push_back(input.get<std::string>());
    }
  }
  if (const auto group = object.find("progressGroup"); group != object.end() && group->is_object()) {
    vertex.digest = text(*group, "id");
    vertex.name = text(*group, "name");
  }
  return vertex;
}

Status read_status(const Parsed& object) {
  return {.id = text(object, "id"),
          .vertex = text(object, "vertex"),
          .current = number(object, "current"),
          .total = number(object, "total"),
          .started = time(object, "started"),
          .completed = time(object, "completed")};
}

template <typename Read>
void read_list(const Parsed& object, const char* name, Read&& read) {
  const auto list = object.find(name);
  if (list == object.end() || !list->is_array()) return;
  for (const auto& element : *list) {
    if (element.is_object()) read(element);
  }
}

}  // namespace

std::string to_json(const Update& update) {
  Ordered object = Ordered::object();
  add_list(object, "vertexes", update.vertexes);
  add_list(object, "statuses", update.statuses);
  add_list(object, "logs", update.logs);
  add_list(object, "warnings", update.warnings);
  return object.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

std::optional<Update> parse_update(std::string_view json) {
  const auto object = Parsed::parse(json, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  Update update;
  read_list(object, "vertexes", [&](const Parsed& part) { update.vertexes.push_back(read_vertex(part)); });
  read_list(object, "statuses", [&](const Parsed& part) { update.statuses.push_back(read_status(part)); });
  read_list(object, "logs", [&](const Parsed& part) {
    update.logs.push_back({.vertex = text(part, "vertex"),
                           .data = bytes(part, "data"),
                           .timestamp = time(part, "timestamp").value_or(Time())});
  });
  read_list(object, "warnings", [&](const Parsed& part) {
    update.warnings.push_back({.vertex = text(part, "vertex"), .text = bytes(part, "short")});
  });
  return update;
}

}  // namespace display
