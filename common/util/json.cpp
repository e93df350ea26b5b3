// Strict JSON parsing and typed access, over nlohmann_json.
#include "common/util/json.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace util {
namespace {

constexpr std::size_t max_depth = 64;

std::string place(std::string_view text, std::size_t byte) {
  const auto before = text.substr(0, byte > 0 ? byte - 1 : 0);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto line_start = before.rfind('\n');
  const auto column = before.size() - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

// Builds the value while the library reads. The library's own way to look on while it builds searches all of
// an array or object whenever an object in it ends: minutes for a document of a few MiB. It also keeps the
// last of duplicate keys silently; a document in which one reader sees the first and another the last is an
// attack on whoever checks it, so both are refused.
class Builder : public nlohmann::json_sax<nlohmann::json> {
public:
  Builder(std::string_view text, std::string_view what, std::size_t most_values = SIZE_MAX,
          TakeElement take = {})
      : text_(text), what_(what), most_values_(most_values), take_(std::move(take)) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& value) override { return add(std::move(value)); }

  bool start_object(std::size_t) override { return open(nlohmann::json::object()); }
  bool start_array(std::size_t) override { return open(nlohmann::json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    auto& object = open_.back()->get_ref<nlohmann::json::object_t&>();
    const auto [field, is_new] = object.try_emplace(name, nullptr);
    if (!is_new) throw Error(std::string(what_) + " has the key " + quote(name) + " twice");
    if (take_ && open_.size() == 1) list_ = {.name = name};
    field_ = &field->second;
    return true;
  }

  bool parse_error(std::size_t byte, const std::string&, const nlohmann::json::exception& error) override {
    if (dynamic_cast<const nlohmann::json::out_of_range*>(&error) != nullptr)
      throw Error(std::string(what_) + " is not JSON: a number is out of range");
    throw Error(std::string(what_) + " is not JSON: error at " + place(text_, byte));
  }

  nlohmann::json take() { return std::move(root_); }

private:
  struct List {
    std::string name = {};
    std::size_t taken = 0;
    std::size_t values_before = 0;  // the element that is being read
  };

  // Whether what is innermost is a list in the outermost object.
  bool is_in_list() const {
    return take_ && open_.size() == 2 && open_[0]->is_object() && open_[1]->is_array();
  }

  nlohmann::json& put(nlohmann::json&& value) {
    if (++values_ > most_values_)
      throw Error(std::string(what_) + " has more than " + std::to_string(most_values_) +
                  " values in one place");
    if (open_.empty()) return root_ = std::move(value);
    if (open_.back()->is_object()) return *field_ = std::move(value);
    open_.back()->push_back(std::move(value));
    return open_.back()->back();
  }

  template <typename Value>
  bool add(Value&& value) {
    put(std::forward<Value>(value));
    return true;
  }

  bool open(nlohmann::json&& value) {
    if (open_.size() == max_depth)
      throw Error(std::string(what_) + " is nested deeper than " + std::to_string(max_depth) + " levels");
    if (is_in_list()) list_.values_before = values_;
    open_.push_back(&put(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    if (is_in_list()) {
      auto& elements = open_.back()->get_ref<nlohmann::json::array_t&>();
      take_(list_.name, list_.taken++, elements.back());
      elements.pop_back();
      values_ = list_.values_before;
    }
    return true;
  }

  std::string_view text_;
  std::string_view what_;
  std::size_t most_values_;
  TakeElement take_;
  List list_;               // in the outermost object, that was begun last
  std::size_t values_ = 0;  // that are held
  nlohmann::json root_;
  std::vector<nlohmann::json*> open_;  // those that have begun and not ended, each in the one before it
  nlohmann::json* field_ = nullptr;    // of the innermost object: the one whose key was read
};

template <typename Json>
std::string dump(const Json& value) {
  try {
    return value.dump();
  } catch (const nlohmann::json::type_error&) {
    throw Error("cannot write JSON: a string is not UTF-8");
  }
}

}  // namespace

nlohmann::json parse_json(std::string_view text, std::string_view what) {
  return parse_json_lists(text, what, SIZE_MAX, {});
}

nlohmann::json parse_json_lists(std::string_view text, std::string_view what, std::size_t most_values,
                                const TakeElement& take) {
  if (!is_utf8(text)) throw Error(std::string(what) + " is not UTF-8");
  Builder builder(text, what, most_values, take);
  nlohmann::json::sax_parse(text, &builder);
  return builder.take();
}

nlohmann::json with_names(nlohmann::json object, const std::vector<std::string>& names) {
  if (!object.is_object()) return object;
  for (const auto& name : names) {
    if (object.contains(name)) continue;
    for (auto entry = object.begin(); entry != object.end(); ++entry) {
      if (!equal_without_case(entry.key(), name)) continue;
      auto value = std::move(entry.value());
      object.erase(entry);
      object[name] = std::move(value);
      break;
    }
  }
  return object;
}

std::string dump_json(const nlohmann::json& value) {
  return dump(value);
}
std::string dump_json(const nlohmann::ordered_json& value) {
  return dump(value);
}

std::string dump_go_json(const nlohmann::ordered_json& value) {
  std::string escaped;
  const std::string plain = dump(value);
  // None of these can stand outside a string.
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const std::string_view rest = std::string_view(plain).substr(i);
    if (plain[i] == '<') {
      escaped += "\\u003c";
    } else if (plain[i] == '>') {
      escaped += "\\u003e";
    } else if (plain[i] == '&') {
      escaped += "\\u0026";
    } else if (rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9")) {
      escaped += rest[2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      escaped += plain[i];
    }
  }
  return escaped;
}

JsonFields::JsonFields(const nlohmann::json& object, std::string what, std::string path)
    : object_(&object), what_(std::move(what)), path_(std::move(path)) {
  if (!object.is_object()) {
    throw Error(what_ + (path_.empty() ? "" : ": field " + quote(path_)) + ": expected an object");
  }
}

std::string JsonFields::path_of(const std::string& name) const {
  return path_.empty() ? name : path_ + "." + name;
}

void JsonFields::fail(const std::string& name, const std::string& message) const {
  throw Error(what_ + ": field " + quote(path_of(name)) + ": " + message);
}

bool JsonFields::has(const std::string& name) const {
  const auto found = object_->find(name);
  return found != object_->end() && !found->is_null();
}

const nlohmann::json& JsonFields::at(const std::string& name) const {
  const auto found = object_->find(name);
  if (found == object_->end()) fail(name, "missing");
  return *found;
}

std::string JsonFields::string(const std::string& name) const {
  const auto& value = at(name);
  if (!value.is_string()) fail(name, "expected a string");
  return value.get<std::string>();
}

bool JsonFields::boolean(const std::string& name) const {
  const auto& value = at(name);
  if (!value.is_boolean()) fail(name, "expected true or false");
  return value.get<bool>();
}

std::int64_t JsonFields::integer(const std::string& name) const {
  const auto& value = at(name);
  // The library cuts what is larger off.
  const bool fits =
      value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
  if (!fits) fail(name, "expected a whole number");
  return value.get<std::int64_t>();
}

std::uint64_t JsonFields::unsigned_integer(const std::string& name) const {
  const auto& value = at(name);
  if (!value.is_number_unsigned()) fail(name, "expected a whole number, 0 or more");
  return value.get<std::uint64_t>();
}

std::vector<std::string> JsonFields::strings(const std::string& name) const {
  const auto& value = at(name);
  if (!value.is_array()) fail(name, "expected a list of strings");
  std::vector<std::string> strings;
  for (const auto& element : value) {
    if (!element.is_string()) fail(name, "expected a list of strings");
    strings.push_back(element.get<std::string>());
  }
  return strings;
}

JsonFields JsonFields::object(const std::string& name) const {
  return {at(name), what_, path_of(name)};
}

std::vector<JsonFields> JsonFields::objects(const std::string& name) const {
  const auto& value = at(name);
  if (!value.is_array()) fail(name, "expected a list of objects");
  std::vector<JsonFields> objects;
  for (std::size_t i = 0; i < value.size(); ++i) {
    objects.push_back(element(name, i));
  }
  return objects;
}

JsonFields JsonFields::element(const std::string& name, std::size_t index) const {
  return {at(name)[index], what_, path_of(name) + "[" + std::to_string(index) + "]"};
}

std::optional<std::string> JsonFields::optional_string(const std::string& name) const {
  return has(name) ? std::optional(string(name)) : std::nullopt;
}

std::optional<std::uint64_t> JsonFields::optional_unsigned_integer(const std::string& name) const {
  return has(name) ? std::optional(unsigned_integer(name)) : std::nullopt;
}

std::optional<JsonFields> JsonFields::optional_object(const std::string& name) const {
  return has(name) ? std::optional(object(name)) : std::nullopt;
}

void JsonFields::require_exactly(const std::vector<std::string>& known) const {
  for (const auto& [name, value] : object_->items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) fail(name, "unknown");
  }
  for (const auto& name : known)
    at(name);
}

}  // namespace util
