// What attributes mean here.
#include "common/cache/entry.hpp"

#include <map>
#include <set>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace cache {
namespace {

using Attributes = std::map<std::string, std::string>;

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
    throw util::Error("the attribute " + util::quote(name) + " is unknown for a cache that is " +
                      (direction == Direction::from ? "read" : "written") +
                      util::did_you_mean(name, {known.begin(), known.end()}));
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

}  // namespace

std::string Entry::name() const {
  switch (type) {
    case Type::registry:
      return reference->familiar();
    case Type::local:
      return "directory " + util::quote(directory.string());
    default:
      return "the image";
  }
}

std::optional<std::string> left_out_of(const document::CacheEntry& entry) {
  if (entry.type != Type::registry && entry.type != Type::local && entry.type != Type::in_image)
    return "type=" + std::string(document::to_string(entry.type));
  for (const auto& [name, value] : entry.attributes.values()) {
    if (left_out_attributes.contains(name)) return name;
    const auto left_out = left_out_values.find(name);
    if (left_out != left_out_values.end() && util::parse_bool(value) == left_out->second)
      return name + "=" + value;
  }
  return std::nullopt;
}

Entry entry_of(const document::CacheEntry& given, Direction direction) {
  const auto attributes = given.attributes.values();
  require_known(attributes, given.type, direction);
  Entry entry;
  entry.type = given.type;
  entry.reference = given.reference;
  entry.directory = given.directory;
  if (entry.reference && !entry.reference->digest.empty() && direction == Direction::to)
    throw util::Error("'ref' has a digest, which nobody can write to; give a tag");
  if (entry.reference && entry.reference->tag.empty() && entry.reference->digest.empty())
    entry.reference->tag = "latest";
  for (const auto& [name, value] : attributes) {
    if (name == "tag" && value.empty()) throw util::Error("the attribute 'tag' is empty");
    if (name == "tag") entry.tag = value;
    if (name == "digest")
      entry.digest = util::with_context("'digest'", [&, &text = value] { return hash::Digest::parse(text); });
    if (name == "mode") entry.mode = parse_mode(value, entry.type);
    if (name == "ignore-error") entry.ignore_error = parse_flag(name, value);
    if (left_out_values.contains(name)) parse_flag(name, value);
  }
  return entry;
}

}  // namespace cache
