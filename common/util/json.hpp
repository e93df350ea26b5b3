// JSON as the project reads and writes it: UTF-8 only, no duplicate keys, errors that name the place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace util {

// Parses `text`; `what` names it in errors ("request", "'index.json'"). Throws Error on a syntax error (with
// line and column), invalid UTF-8, a key that stands twice in one object, nesting deeper than 64, or anything
// after the value.
nlohmann::json parse_json(std::string_view text, std::string_view what);

// The same for long lists in an object from outside, of which no more is held than one element: as soon as an
// element that is an object or a list has been read, `take` gets it with the name of its list and its place
// there, and it is gone from the value that is returned. Throws Error also where that, or one element, has
// more than `most_values` values: each takes dozens of bytes.
using TakeElement = std::function<void(const std::string& list, std::size_t index, const nlohmann::json&)>;
nlohmann::json parse_json_lists(std::string_view text, std::string_view what, std::size_t most_values,
                                const TakeElement& take);

// `object` with those of its keys that are one of `names` but for their case called by that name: programs in
// Go read fields in any case, so the documents of such programs may have them in any. Where a name stands
// there itself, its other spellings are left alone. What is no object stays as it is.
nlohmann::json with_names(nlohmann::json object, const std::vector<std::string>& names);

// Compact, keys in their order of insertion where the value is ordered, ending without a newline. Throws
// Error if a string inside is not UTF-8.
std::string dump_json(const nlohmann::json& value);
std::string dump_json(const nlohmann::ordered_json& value);

// The same with the escapes of Go's encoding/json, for documents whose digest must be what a Go program gives
// them:
// <, > and & as \u003c, \u003e and \u0026, and the line separators U+2028 and U+2029 as \u2028 and \u2029.
std::string dump_go_json(const nlohmann::ordered_json& value);

// Reads the fields of one JSON object by name and type. Errors say "WHAT: field 'a.b': expected a string".
// The object must outlive the reader.
class JsonFields {
public:
  // Throws Error if `object` is no JSON object. `what` is the document, `path` where this object stands in
  // it.
  JsonFields(const nlohmann::json& object, std::string what, std::string path = "");

  bool has(const std::string& name) const;  // present and not null

  // Each throws Error if the field is missing, null or of another type.
  const nlohmann::json& at(const std::string& name) const;
  std::string string(const std::string& name) const;
  bool boolean(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  std::uint64_t unsigned_integer(const std::string& name) const;
  std::vector<std::string> strings(const std::string& name) const;
  JsonFields object(const std::string& name) const;
  std::vector<JsonFields> objects(const std::string& name) const;
  JsonFields element(const std::string& name, std::size_t index) const;  // of a list that has so many

  // Missing and null both give nothing.
  std::optional<std::string> optional_string(const std::string& name) const;
  std::optional<std::uint64_t> optional_unsigned_integer(const std::string& name) const;
  std::optional<JsonFields> optional_object(const std::string& name) const;

  // Throws Error naming the first field that is not in `known`, or (strict documents have every field, null
  // meaning none) the first of `known` that is missing.
  void require_exactly(const std::vector<std::string>& known) const;

  // "WHAT: field 'PATH.NAME': MESSAGE" as an Error, for checks of the caller's own.
  [[noreturn]] void fail(const std::string& name, const std::string& message) const;

private:
  std::string path_of(const std::string& name) const;

  const nlohmann::json* object_;
  std::string what_;
  std::string path_;
};

}  // namespace util
