// The Dockerfile as the user wrote it, and errors that show the place: "Dockerfile:7: message", the lines, a
// caret.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/util/error.hpp"

namespace dockerfile {

// Lines from 1, both inclusive. {0, 0} is no place at all.
struct Location {
  int first_line = 0;
  int last_line = 0;

  friend bool operator==(const Location&, const Location&) = default;
};

// What is wrong with an instruction, in BuildKit's words, before it is known where: `located` makes a message
// for people of it.
class SyntaxError : public util::Error {
public:
  // `near` is the piece of text that is to blame, as it stands in the file; empty if it is the whole
  // instruction.
  explicit SyntaxError(const std::string& message, std::string near = "")
      : Error(message), near_(std::move(near)) {}

  SyntaxError(const SyntaxError& error, const Location& location) : SyntaxError(error) {
    if (location_ == Location{}) location_ = location;
  }

  const std::string& near() const noexcept { return near_; }
  // {0, 0} while only whoever catches it can know.
  const Location& location() const noexcept { return location_; }

private:
  std::string near_;
  Location location_;
};

// `text` in one line, with \n, \r and \xNN for bytes that a terminal would obey and for those that are no
// UTF-8; a tab is shown as a blank. Backslashes stay as they are.
std::string harmless(std::string_view text);

// The name and the lines of a Dockerfile.
class Source {
public:
  Source() = default;
  Source(std::string name, std::string_view text);

  const std::string& name() const noexcept { return name_; }
  // Without its line break; empty for a line that does not exist.
  std::string_view line(int number) const noexcept;

  // "NAME:LINE: MESSAGE" and below it, as BuildKit shows them, the lines of `location` and some around them:
  //
  //     --------------------
  //        6 |     FROM busybox
  //        7 | >>> COPY --chwon=1 <<EOF /x
  //          |          ^
  //        8 | >>> EOF
  //     --------------------
  //
  // The caret stands below the first place of `near`, whose line is LINE then; there is none where `near` is
  // empty or not found. Without a location it is "NAME: MESSAGE". Bytes that could move a terminal's cursor
  // are shown as \xNN, and of a very long line only the beginning or the part around the caret.
  std::string describe(const Location& location, std::string_view message, std::string_view near = "") const;

private:
  std::string name_;
  std::vector<std::string> lines_;
};

// Runs `action`; a SyntaxError leaves as one that knows its location, unless it did before.
template <typename Action>
decltype(auto) at(const Location& location, Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (const SyntaxError& error) {
    throw SyntaxError(error, location);
  }
}

// Runs `action`; a SyntaxError leaves as an Error that shows the place: its own, else `location`.
template <typename Action>
decltype(auto) located(const Source& source, const Location& location, Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (const SyntaxError& error) {
    const Location place = SyntaxError(error, location).location();
    throw util::Error(source.describe(place, error.what(), error.near()), error.exit_code(), error.cause());
  }
}

}  // namespace dockerfile
