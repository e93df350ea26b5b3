// The modes that COPY --chmod and ADD --chmod take: octal, or symbolic as of chmod(1).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace dockerfile {

class Chmod {
public:
  // Throws SyntaxError for an octal number above 07777 and for what is neither.
  static Chmod parse(std::string_view text);

  // Nothing for a symbolic mode. Directories made on the way to a destination get an octal mode alone.
  std::optional<std::uint32_t> octal() const noexcept { return octal_; }

  // The permission bits (07777) that a file with those of `mode` ends up with; the umask does not count.
  enum class FileKind { directory, other };
  std::uint32_t apply(std::uint32_t mode, FileKind kind) const;

private:
  enum class Action {
    clear,
    set,
    search,     // set, but only for directories and where anyone may execute already
    add_copy,   // the bits of one class, added to other classes,
    take_copy,  // taken from them,
    put_copy,   // or put in place of theirs
  };
  struct Change {
    Action action;
    std::uint32_t bits;  // what changes; of a copy the classes that do
    int source_shift;    // of a copy, where the class's three bits stand
  };

  class Reader;

  std::optional<std::uint32_t> octal_;
  std::vector<Change> changes_;
};

}  // namespace dockerfile
