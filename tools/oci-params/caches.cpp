// Amounts, and directories of caches.
#include "tools/oci-params/caches.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"
#include "tools/oci-params/files.hpp"
#include "tools/oci-params/values.hpp"

namespace params {
namespace {

namespace fs = std::filesystem;

using document::CacheDirection;
using document::CacheEntry;
using document::CacheType;

// What stands for a directory that exists, when nothing has been written to it yet.
bool holds_cache(const fs::path& directory) {
  return is_present(directory / "index.json");
}

// True if the entry is to be used.
bool check_directory(const std::string& parameter, const CacheEntry& entry, CacheDirection direction,
                     Findings& findings) {
  const auto& path = entry.directory;
  const auto shown = util::quote(path.string());
  if (direction == CacheDirection::to) {
    if (is_present(path) && !sys::leads_to_directory(path))
      throw util::Error(shown + " is not a directory; name one");
    return true;
  }
  if (!sys::leads_to_directory(path)) throw util::Error(shown + " is not a directory; name one that exists");
  if (holds_cache(path)) return true;
  findings.warn(parameter + ": " + shown + " holds no cache yet, so nothing is read from it");
  return false;
}

std::vector<CacheEntry> read_entries(const Environment& environment, const std::string& parameter,
                                     CacheDirection direction, Findings& findings) {
  std::vector<CacheEntry> entries;
  findings.check([&] {
    for (const auto& text : split_list(environment.value(parameter).value_or(""), "\n")) {
      findings.check([&] {
        util::with_context(parameter, [&] {
          auto entry = CacheEntry::parse(text, direction);
          if (entry.type == CacheType::local && !check_directory(parameter, entry, direction, findings))
            return;
          entries.push_back(std::move(entry));
        });
      });
    }
  });
  return entries;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr Unit sizes[] = {{"", 1},
                          {"B", 1},
                          {"kB", 1000},
                          {"MB", 1000 * 1000},
                          {"GB", 1000 * 1000 * 1000},
                          {"TB", std::uint64_t{1000} * 1000 * 1000 * 1000},
                          {"KiB", 1 << 10},
                          {"MiB", 1 << 20},
                          {"GiB", 1 << 30},
                          {"TiB", std::uint64_t{1} << 40}};
constexpr Unit times[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 24 * 3600}, {"w", 7 * 24 * 3600}};

// A whole number and a unit, whatever the case of its letters; 0 needs none.
std::optional<std::uint64_t> read_amount(const Environment& environment, const std::string& parameter,
                                         std::span<const Unit> units, std::string_view example) {
  const auto text = environment.value(parameter);
  if (!text) return std::nullopt;
  const auto digits = std::min(text->find_first_not_of("0123456789"), text->size());
  const auto unit_name = util::trim(std::string_view(*text).substr(digits));
  const auto number = util::parse_uint(std::string_view(*text).substr(0, digits));
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& candidate) {
    return util::equal_without_case(candidate.name, unit_name);
  });
  if (number == 0U && unit_name.empty()) return 0;
  if (!number || unit == units.end()) {
    throw util::Error(parameter + ": " + util::quote(*text) + " is no amount; write it as in " +
                      std::string(example));
  }
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (*number > most / unit->factor)
    throw util::Error(parameter + ": " + util::quote(*text) + " is more than there can be; give less");
  return *number * unit->factor;
}

}  // namespace

document::Cache read_cache(const Environment& environment, Findings& findings) {
  document::Cache cache;
  findings.check([&] {
    if (const auto directory = environment.value("STATE_DIR")) {
      require_directory("STATE_DIR", *directory);
      cache.directory = *directory;
    } else if (is_present("cache")) {
      require_directory("caches", "cache");
      cache.directory = "cache";
    }
  });
  cache.from = read_entries(environment, "CACHE_FROM", CacheDirection::from, findings);
  cache.to = read_entries(environment, "CACHE_TO", CacheDirection::to, findings);
  findings.check(
      [&] { cache.max_size = read_amount(environment, "CACHE_MAX_SIZE", sizes, "10GB or 512MiB"); });
  findings.check([&] { cache.max_age = read_amount(environment, "CACHE_MAX_AGE", times, "30d or 12h"); });
  return cache;
}

}  // namespace params
