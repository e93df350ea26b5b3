// What an entry must say.
#include "common/document/cache_entry.hpp"

#include <string>
#include <vector>

#include "common/document/fields.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace document {
namespace {

constexpr Words<CacheType, 6> cache_types = {{
    {CacheType::registry, "registry"},
    {CacheType::local, "local"},
    {CacheType::in_image, "inline"},
    {CacheType::gha, "gha"},
    {CacheType::s3, "s3"},
    {CacheType::azblob, "azblob"},
}};

CacheType type_of(const Attributes& attributes) {
  const auto word = attributes.value("type");
  if (!word) throw util::Error("the entry names no type; write type=registry,ref=IMAGE or type=local,...");
  if (const auto type = value_of(cache_types, *word)) return *type;
  std::vector<std::string> known;
  for (const auto& [type, name] : cache_types)
    known.emplace_back(name);
  throw util::Error("the type " + util::quote(*word) + " is none of " + util::join(known, ", ") +
                    util::did_you_mean(*word, known));
}

image::Reference reference_of(const Attributes& attributes) {
  const auto text = attributes.value("ref");
  if (!text || text->empty()) throw util::Error("the entry of type registry names no image; add ref=IMAGE");
  if (auto reference = image::Reference::parse(*text)) return *reference;
  throw util::Error("'ref' is " + util::quote(*text) + ", which is no name of an image");
}

std::filesystem::path directory_of(const Attributes& attributes, CacheDirection direction) {
  const std::string name = direction == CacheDirection::from ? "src" : "dest";
  const auto path = attributes.value(name);
  if (path && !path->empty()) return *path;
  throw util::Error("the entry of type local names no directory; add " + name + "=DIRECTORY");
}

}  // namespace

CacheEntry CacheEntry::parse(std::string_view text, CacheDirection direction) {
  CacheEntry entry;
  entry.attributes = Attributes::parse(text);
  entry.type = type_of(entry.attributes);
  if (entry.type == CacheType::in_image && direction == CacheDirection::from)
    throw util::Error("a cache of type inline is read from its image; write type=registry,ref=IMAGE");
  if (entry.type == CacheType::registry) entry.reference = reference_of(entry.attributes);
  if (entry.type == CacheType::local) entry.directory = directory_of(entry.attributes, direction);
  return entry;
}

std::string_view to_string(CacheType type) {
  return word_of(cache_types, type);
}

}  // namespace document
