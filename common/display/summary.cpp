// Counting and sorting.
#include "common/display/summary.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <vector>

#include "common/display/layout.hpp"
#include "common/display/terminal_text.hpp"
#include "common/util/characters.hpp"

namespace display {
namespace {

constexpr std::size_t most_named = 5;
constexpr std::size_t widest_name = 52;  // for a line of 80 columns in all
constexpr std::chrono::duration<double> least_named{0.1};

struct Taken {
  std::string name;
  std::chrono::duration<double> time = {};
  bool cached = true;
};

}  // namespace

bool is_step(const std::string& title) {
  const auto end = title.find("] ");
  if (!title.starts_with('[') || end == std::string::npos) return false;
  const auto slash = title.rfind('/', end);
  return slash != std::string::npos && slash + 1 < end && util::is_digit(title[slash + 1]) &&
         util::is_digit(title[end - 1]) && util::is_digit(title[slash - 1]);
}

std::string summary(const std::deque<Board>& parts) {
  std::vector<Taken> all;
  std::map<std::string, std::size_t> by_digest;
  std::uint64_t pulled = 0;
  std::chrono::duration<double> total = {};
  for (const auto& part : parts) {
    pulled += part.pulled_bytes();
    if (part.begin() && part.end()) total += *part.end() - *part.begin();
    for (const auto* work : part.work()) {
      if (!work->started) continue;
      const auto [known, is_new] = by_digest.try_emplace(work->digest, all.size());
      if (is_new) all.push_back({.name = work->name});
      auto& taken = all[known->second];
      if (work->cached) continue;
      taken.cached = false;
      taken.time += work->duration(part.end().value_or(Time()));
    }
  }
  std::size_t run = 0;
  std::size_t cached = 0;
  for (const auto& taken : all) {
    if (!is_step(taken.name) || taken.name.find("] FROM ") != std::string::npos) continue;
    ++(taken.cached ? cached : run);
  }
  std::string text = "steps: " + std::to_string(run) + " run, " + std::to_string(cached) + " cached; ";
  if (pulled > 0) text += decimal_size(pulled) + " pulled; ";
  text += shown_time(total);
  std::erase_if(all, [](const Taken& taken) { return taken.time < least_named; });
  std::stable_sort(all.begin(), all.end(), [](const Taken& a, const Taken& b) { return a.time > b.time; });
  all.resize(std::min(all.size(), most_named));
  std::size_t width = 0;
  for (const auto& taken : all)
    width = std::max(width, shown_time(taken.time).size());
  for (const auto& taken : all) {
    const auto time = shown_time(taken.time);
    text += "\nslowest: " + std::string(width - time.size(), ' ') + time + " " +
            shortened(taken.name, widest_name);
  }
  return text;
}

}  // namespace display
