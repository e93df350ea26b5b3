// Fields of a CSV record (Go's encoding/csv), each NAME=VALUE.
#include "common/cache/entry.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace cache {
namespace {

using Attributes = std::map<std::string, std::string>;  // the last of a name counts, as in BuildKit

// Takes one field off the front, and the comma after it.
std::string take_field(std::string_view& text) {
  std::string field;
  bool quoted = text.starts_with('"');
  if (quoted) text.remove_prefix(1);
  while (!text.empty()) {
    const char next = text.front();
    text.remove_prefix(1);
    if (quoted && next == '"') {
      if (!text.starts_with('"')) {
        quoted = false;
        continue;
      }
      text.remove_prefix(1);
    } else if (!quoted && next == ',') {
      break;
    }
    field += next;
  }
  if (quoted) throw util::Error("a quote is not closed");
  return field;
}

Attributes split(std::string_view text) {
  Attributes attributes;
  while (!text.empty()) {
    const auto field = take_field(text);
    const auto equals = field.find('=');
    if (equals == std::string::npos) throw util::Error("a part of the entry is no NAME=VALUE");
    attributes[std::string(util::trim(field.substr(0, equals)))] = field.substr(equals + 1);
  }
  return attributes;
}

const std::set<std::string> left_out_types = {"gha", "s3", "azblob"};
const std::set<std::string> left_out_attributes = {"compression", "compression-level", "force-compression"};
// Left out with this value; the other one is what the engine does.
const std::map<std::string, bool> left_out_values = {
    {"oci-mediatypes", false}, {"image-manifest", false}, {"registry.insecure", true}};

std::set<std::string> known_attributes(Type type, Direction direction) {
  std::set<std::string> known = {"type"};
  if (type == Type::registry) known.insert({"ref", "registry.insecure"});
  if (type == Type::local) {
    known.insert(direction == Direction::from ? "src" : "dest");
    known.insert("tag");
    if (direction == Direction::from) known.insert("digest");
  }
  if (direction == Direction::to) known.insert({"mode", "ignore-error"});
  if (direction == Direction::to && type != Type::in_image)
    known.insert({"oci-mediatypes", "image-manifest"});
  return known;
}

void require_known(const Attributes& attributes, Type type, Direction direction) {
  const auto known = known_attributes(type, direction);
  for (const auto& [name, value] : attributes) {
    if (known.contains(name)) continue;
    const auto nearest = util::nearest(name, {known.begin(), known.end()});
    throw util::Error("the attribute " + util::quote(name) + " is unknown for a cache that is " +
                      (direction == Direction::from ? "read" : "written") +
                      (nearest ? "; did you mean " + util::quote(*nearest) + "?" : ""));
  }
}

bool parse_flag(const std::string& name, const std::string& value) {
  const auto flag = util::parse_bool(value);
  if (!flag) throw util::Error(util::quote(name) + " is " + util::quote(value) + ", not 'true' or 'false'");
  return *flag;
}

// Of one that is written; the image's own layers are all that it can hold.
Mode parse_mode(const std::string& value, Type type) {
  if (value != "min" && value != "max")
    throw util::Error("'mode' is " + util::quote(value) + ", not one of 'min', 'max'");
  if (value == "max" && type == Type::in_image)
    throw util::Error("'mode' is 'max', but an image holds no layers but its own: use type=registry");
  return value == "max" ? Mode::max : Mode::min;
}

Type parse_type(const std::string& value, Direction direction) {
  if (value == "registry") return Type::registry;
  if (value == "local") return Type::local;
  if (value != "inline")
    throw util::Error("'type' is " + util::quote(value) + ", not one of 'registry', 'local', 'inline'");
  if (direction == Direction::from)
    throw util::Error("'type' is 'inline', which is how to write: read it by type=registry,ref=IMAGE");
  return Type::in_image;
}

std::string required(const Attributes& attributes, const std::string& name) {
  const auto found = attributes.find(name);
  if (found == attributes.end() || found->second.empty())
    throw util::Error("the attribute " + util::quote(name) + " is missing");
  return found->second;
}

image::Reference parse_reference(const std::string& text) {
  auto reference = image::Reference::parse(text);
  if (!reference) throw util::Error("'ref' is " + util::quote(text) + ", which is no name of an image");
  if (reference->tag.empty() && reference->digest.empty()) reference->tag = "latest";
  return *reference;
}

}  // namespace

std::string Entry::name() const {
  switch (type) {
    case Type::registry:
      return reference->familiar();
    case Type::local:
      return "directory " + util::quote(directory.string());
    case Type::in_image:
      break;
  }
  return "the image";
}

std::optional<std::string> left_out_of(const std::string& text) {
  Attributes attributes;
  try {
    attributes = split(text);
  } catch (const util::Error&) {
    return std::nullopt;  // parse_entry says it
  }
  if (const auto type = attributes.find("type");
      left_out_types.contains(type == attributes.end() ? "" : type->second))
    return "type=" + type->second;
  for (const auto& [name, value] : attributes) {
    if (left_out_attributes.contains(name)) return name;
    const auto left_out = left_out_values.find(name);
    if (left_out != left_out_values.end() && util::parse_bool(value) == left_out->second)
      return name + "=" + value;
  }
  return std::nullopt;
}

Entry parse_entry(const std::string& text, Direction direction) {
  const auto attributes = split(text);
  const auto type = required(attributes, "type");
  Entry entry;
  entry.type = parse_type(type, direction);
  require_known(attributes, entry.type, direction);
  if (entry.type == Type::registry) {
    entry.reference = parse_reference(required(attributes, "ref"));
    if (direction == Direction::to && !entry.reference->digest.empty())
      throw util::Error("'ref' has a digest, which nobody can write to; give a tag");
  } else if (entry.type == Type::local) {
    entry.directory = required(attributes, direction == Direction::from ? "src" : "dest");
  }
  for (const auto& [name, value] : attributes) {
    if (name == "tag") entry.tag = required(attributes, name);
    if (name == "digest")
      entry.digest = util::with_context("'digest'", [&, &text = value] { return hash::Digest::parse(text); });
    if (name == "mode") entry.mode = parse_mode(value, entry.type);
    if (name == "ignore-error") entry.ignore_error = parse_flag(name, value);
    if (left_out_values.contains(name)) parse_flag(name, value);
  }
  return entry;
}

}  // namespace cache
