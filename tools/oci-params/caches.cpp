// Checks of BuildKit's cache entries. They may hold keys of a cloud storage, so an error shows the type
// alone.
#include "tools/oci-params/caches.hpp"

#include <algorithm>

#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"
#include "tools/oci-params/files.hpp"
#include "tools/oci-params/values.hpp"

namespace params {
namespace {

namespace fs = std::filesystem;

enum class Direction { from, to };

// What stands for a directory that exists, when nothing has been written to it yet.
bool holds_cache(const fs::path& directory) {
  return is_present(directory / "index.json");
}

// True if the entry is to be used.
bool check_entry(const std::string& parameter, const std::string& entry, Direction direction,
                 Findings& findings) {
  const auto attributes = split_attributes(entry);
  const auto type = attribute(attributes, "type");
  if (!type) throw util::Error("the entry names no type; write type=registry,ref=IMAGE or type=local,...");
  const std::vector<std::string> types = {"registry", "local", "inline", "gha", "s3", "azblob"};
  if (std::find(types.begin(), types.end(), *type) == types.end()) {
    throw util::Error("the type " + util::quote(*type) + " is none of " + util::join(types, ", ") +
                      did_you_mean(*type, types));
  }
  if (*type == "registry" && !attribute(attributes, "ref")) {
    throw util::Error("the entry of type registry names no image; add ref=IMAGE");
  }
  if (*type == "inline" && direction == Direction::from) {
    throw util::Error("a cache of type inline is read from its image; write type=registry,ref=IMAGE");
  }
  if (*type != "local") return true;
  const std::string key = direction == Direction::from ? "src" : "dest";
  const auto path = attribute(attributes, key);
  if (!path || path->empty())
    throw util::Error("the entry of type local names no directory; add " + key + "=DIRECTORY");
  if (direction == Direction::to) {
    if (is_present(*path) && !sys::leads_to_directory(*path)) {
      throw util::Error(util::quote(*path) + " is not a directory; name one");
    }
    return true;
  }
  if (!sys::leads_to_directory(*path))
    throw util::Error(util::quote(*path) + " is not a directory; name one that exists");
  if (holds_cache(*path)) return true;
  findings.warn(parameter + ": " + util::quote(*path) + " holds no cache yet, so nothing is read from it");
  return false;
}

std::vector<std::string> read_entries(const Environment& environment, const std::string& parameter,
                                      Direction direction, Findings& findings) {
  std::vector<std::string> entries;
  findings.check([&] {
    for (auto& entry : split_list(environment.value(parameter).value_or(""), "\n")) {
      findings.check([&] {
        const bool used =
            util::with_context(parameter, [&] { return check_entry(parameter, entry, direction, findings); });
        if (used) entries.push_back(std::move(entry));
      });
    }
  });
  return entries;
}

}  // namespace

document::Cache read_cache(const Environment& environment, Findings& findings) {
  document::Cache cache;
  findings.check([&] {
    if (!is_present("cache")) return;
    require_directory("caches", "cache");
    cache.directory = "cache";
  });
  cache.from = read_entries(environment, "CACHE_FROM", Direction::from, findings);
  cache.to = read_entries(environment, "CACHE_TO", Direction::to, findings);
  return cache;
}

}  // namespace params
