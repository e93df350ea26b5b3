// The files of a content, so that it can be said which of them have changed.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "common/hash/digest.hpp"

namespace solver {

// Paths, each with as much of a digest as tells two contents of a file apart. It is held as the store keeps
// it, "DIGITS PATH\0" for each file, because there may be hundreds of thousands.
class Listing {
public:
  Listing() = default;
  // What is no listing is passed over.
  explicit Listing(std::string text) : text_(std::move(text)) {}

  void add(std::string_view path, const hash::Digest& digest);
  const std::string& text() const noexcept { return text_; }

private:
  std::string text_;
};

enum class Difference { changed, is_new, gone };

// Shows what `now` has that `then` had not, or otherwise, in its order; then what it has no more, by path.
void for_each_difference(const Listing& then, const Listing& now,
                         const std::function<void(std::string_view path, Difference difference)>& visit);

}  // namespace solver
