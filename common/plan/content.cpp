// Which attributes of a file a copy carries on.
#include "common/plan/content.hpp"

#include <span>

#include "common/plan/key_writer.hpp"

namespace plan {
namespace {

// What belongs to the machine rather than to the file.
bool counts(const std::string& xattr) {
  if (xattr == "security.capability") return true;
  return !xattr.starts_with("security.") && !xattr.starts_with("system.");
}

}  // namespace

ContentHash::ContentHash() = default;

void ContentHash::add(const ContentEntry& entry) {
  KeyWriter writer("oci-build/key/1/entry");
  writer.put(entry.path).put(entry.mode).put(entry.uid).put(entry.gid).put(entry.device).put(entry.link);
  writer.put(entry.hard_link).put(entry.content);
  for (const auto& [name, value] : entry.xattrs) {
    if (counts(name)) writer.put(name).put(value);
  }
  const auto digest = writer.finish();
  sha_.update(std::as_bytes(std::span(digest.hex())));
}

hash::Digest ContentHash::finish() {
  return sha_.finish();
}

}  // namespace plan
