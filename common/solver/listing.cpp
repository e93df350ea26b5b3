// Comparing listings.
#include "common/solver/listing.hpp"

#include <algorithm>
#include <vector>

namespace solver {
namespace {

constexpr std::size_t digits = 32;

struct Line {
  std::string_view path;
  std::string_view digest;
};

template <typename Visit>
void for_each_line(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.size() > digits) visit(Line{.path = line.substr(digits + 1), .digest = line.substr(0, digits)});
  }
}

}  // namespace

void Listing::add(std::string_view path, const hash::Digest& digest) {
  text_ += std::string_view(digest.hex()).substr(0, digits);
  text_ += ' ';
  text_ += path;
  text_ += '\0';
}

void for_each_difference(const Listing& then, const Listing& now,
                         const std::function<void(std::string_view path, Difference difference)>& visit) {
  std::vector<Line> before;
  for_each_line(then.text(), [&](const Line& line) { before.push_back(line); });
  const auto by_path = [](const Line& left, const Line& right) { return left.path < right.path; };
  std::stable_sort(before.begin(), before.end(), by_path);
  std::vector<bool> is_there(before.size());
  for_each_line(now.text(), [&](const Line& line) {
    const auto [first, last] = std::equal_range(before.begin(), before.end(), line, by_path);
    if (first == last) return visit(line.path, Difference::is_new);
    if ((last - 1)->digest != line.digest) visit(line.path, Difference::changed);
    std::fill(is_there.begin() + (first - before.begin()), is_there.begin() + (last - before.begin()), true);
  });
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (!is_there[i]) visit(before[i].path, Difference::gone);
  }
}

}  // namespace solver
