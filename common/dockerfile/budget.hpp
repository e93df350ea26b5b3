// How much may become of a Dockerfile: a few lines can mean any amount of text.
#pragma once

#include <cstdint>

#include "common/dockerfile/source.hpp"

namespace dockerfile {

// The most bytes that expansion may add to one value.
inline constexpr std::uint64_t largest_growth = 1 << 20;

// What a plan holds beyond the bytes of its Dockerfile: what variables add to words and titles, what steps
// get as their environment, what triggers add to stages. Far more than any build needs, far less than hurts.
class Budget {
public:
  static constexpr std::uint64_t limit = 256 << 20;

  // Throws SyntaxError once all of it comes to more than the limit.
  void spend(std::uint64_t bytes) {
    if (bytes > limit - spent_) {
      throw SyntaxError(
          "variables, triggers and environments up to here come to more than 256 MiB: use fewer or smaller "
          "ones");
    }
    spent_ += bytes;
  }

  // Of a word that became `after` bytes.
  void spend_growth(std::uint64_t before, std::uint64_t after) {
    if (after > before) spend(after - before);
  }

private:
  std::uint64_t spent_ = 0;
};

}  // namespace dockerfile
