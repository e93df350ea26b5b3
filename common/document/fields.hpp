// What all documents share in reading and writing: words for enums, text without NUL bytes, null for
// nothing.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace document {

// The words of an enum, each value once.
template <typename Enum, std::size_t Count>
using Words = std::array<std::pair<Enum, std::string_view>, Count>;

template <typename Enum, std::size_t Count>
std::string_view word_of(const Words<Enum, Count>& words, Enum value) {
  for (const auto& [candidate, word] : words) {
    if (candidate == value) return word;
  }
  return {};
}

template <typename Enum, std::size_t Count>
std::optional<Enum> value_of(const Words<Enum, Count>& words, std::string_view text) {
  for (const auto& [value, word] : words) {
    if (word == text) return value;
  }
  return std::nullopt;
}

// A string field. NUL would cut paths and arguments short behind the back of whoever checked them.
inline std::string read_text(const util::JsonFields& fields, const std::string& name) {
  auto text = fields.string(name);
  if (text.find('\0') != std::string::npos) fields.fail(name, "holds a NUL character");
  return text;
}

// A string field that is not empty either: names, paths.
inline std::string read_name(const util::JsonFields& fields, const std::string& name) {
  auto text = read_text(fields, name);
  if (text.empty()) fields.fail(name, "is empty");
  return text;
}

// `read(fields, name)` if the field is not null.
template <typename Read>
auto read_optional(const util::JsonFields& fields, const std::string& name, Read&& read)
    -> std::optional<decltype(read(fields, name))> {
  if (!fields.has(name)) return std::nullopt;
  return read(fields, name);
}

template <typename Enum, std::size_t Count>
Enum read_word(const util::JsonFields& fields, const std::string& name, const Words<Enum, Count>& words) {
  const auto text = fields.string(name);
  if (const auto value = value_of(words, text)) return *value;
  std::vector<std::string> known;
  for (const auto& [value, word] : words)
    known.push_back(util::quote(word));
  fields.fail(name, util::quote(text) + " is none of " + util::join(known, ", "));
}

// Checks that the document is of this schema, which it must be before its fields mean anything.
inline void require_schema(const util::JsonFields& fields, std::string_view schema) {
  if (fields.string("schema") != schema) {
    fields.fail("schema",
                "expected " + util::quote(schema) + ", got " + util::quote(fields.string("schema")));
  }
}

// The writers make values of the caller's type `Json`, so that this header needs no JSON library.

// What `write` makes of each element, in order.
template <typename Json, typename Range, typename Write>
Json write_list(const Range& elements, Write&& write) {
  auto list = Json::array();
  for (const auto& element : elements)
    list.push_back(write(element));
  return list;
}

template <typename Json, typename Value>
Json write_optional(const std::optional<Value>& value) {
  if (!value) return nullptr;
  if constexpr (std::is_same_v<Value, std::filesystem::path>) {
    return value->string();
  } else {
    return *value;
  }
}

}  // namespace document
