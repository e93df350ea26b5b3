// Reading and applying of modes, after BSD's setmode(3), whose reading BuildKit follows.
#include "common/dockerfile/chmod.hpp"

#include <charconv>
#include <string>

#include "common/dockerfile/source.hpp"

namespace dockerfile {
namespace {

constexpr std::uint32_t set_user = 04000;
constexpr std::uint32_t set_group = 02000;
constexpr std::uint32_t sticky = 01000;
constexpr std::uint32_t everyone = set_user | set_group | 0777;  // what "a" and no class at all stand for
constexpr std::uint32_t others = 0007;

}  // namespace

// Reads "u=rwX,go+r": clauses of classes and one or more operations.
class Chmod::Reader {
public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::vector<Change> read() {
    for (;;) {
      read_classes();
      do {
        read_operation();
      } while (!text_.empty() && text_.front() != ',');
      if (text_.empty()) return std::move(changes_);
      text_.remove_prefix(1);
    }
  }

private:
  char take() {
    if (text_.empty()) throw SyntaxError("invalid syntax");
    const char letter = text_.front();
    text_.remove_prefix(1);
    return letter;
  }

  void read_classes() {
    who_ = 0;
    for (;; text_.remove_prefix(1)) {
      switch (text_.empty() ? '\0' : text_.front()) {
        case 'a':
          who_ |= everyone;
          break;
        case 'u':
          who_ |= set_user | 0700;
          break;
        case 'g':
          who_ |= set_group | 0070;
          break;
        case 'o':
          who_ |= others;
          break;
        default:
          return;
      }
    }
  }

  void read_operation() {
    operation_ = take();
    if (operation_ != '+' && operation_ != '-' && operation_ != '=') throw SyntaxError("invalid syntax");
    who_ &= ~sticky;
    bits_ = search_ = 0;
    assigned_ = false;
    while (!text_.empty() && read_letter(text_.front()))
      text_.remove_prefix(1);
    flush();
  }

  bool read_letter(char letter) {
    // Of "other" alone neither set-id nor sticky bits can be meant.
    const bool special = who_ == 0 || (who_ & ~others) != 0;
    switch (letter) {
      case 'r':
        bits_ |= 0444;
        return true;
      case 'w':
        bits_ |= 0222;
        return true;
      case 'x':
        bits_ |= 0111;
        return true;
      case 'X':
        (operation_ == '-' ? bits_ : search_) |= 0111;
        return true;
      case 's':
        if (special) bits_ |= set_user | set_group;
        return true;
      case 't':
        if (special) {
          who_ |= sticky;
          bits_ |= sticky;
        }
        return true;
      case 'u':
        copy(6);
        return true;
      case 'g':
        copy(3);
        return true;
      case 'o':
        copy(0);
        return true;
      default:
        return false;
    }
  }

  void copy(int source_shift) {
    if (bits_ != 0 || search_ != 0) flush();
    assigned_ = true;
    const Action action = operation_ == '+'   ? Action::add_copy
                          : operation_ == '-' ? Action::take_copy
                                              : Action::put_copy;
    changes_.push_back({action, who_ == 0 ? 0777 : who_ & 0777, source_shift});
  }

  // Turns the letters read so far into changes. "u=" alone clears.
  void flush() {
    const std::uint32_t mask = who_ == 0 ? everyone | sticky : who_;
    if (operation_ == '=' && (bits_ != 0 || !assigned_)) {
      changes_.push_back({Action::clear, who_ == 0 ? everyone : who_, 0});
      assigned_ = true;
    }
    if (bits_ != 0) changes_.push_back({operation_ == '-' ? Action::clear : Action::set, mask & bits_, 0});
    if (search_ != 0) changes_.push_back({Action::search, mask & search_, 0});
    bits_ = search_ = 0;
  }

  std::string_view text_;
  std::vector<Change> changes_;
  std::uint32_t who_ = 0;
  char operation_ = '+';
  std::uint32_t bits_ = 0;
  std::uint32_t search_ = 0;
  bool assigned_ = false;  // "=" has cleared its classes already
};

Chmod Chmod::parse(std::string_view text) {
  Chmod chmod;
  const bool is_number = !text.empty() && text.front() >= '0' && text.front() <= '9';
  if (!is_number) {
    try {
      chmod.changes_ = Reader(text).read();
    } catch (const SyntaxError& error) {
      throw SyntaxError(error.what(), std::string(text));
    }
    return chmod;
  }
  std::uint32_t mode = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, mode, 8);
  if (error != std::errc() || stop != end || mode > 07777) {
    throw SyntaxError("invalid chmod parameter: '" + std::string(text) +
                          "'. it should be octal string and between 0 and 07777",
                      std::string(text));
  }
  chmod.octal_ = mode;
  return chmod;
}

std::uint32_t Chmod::apply(std::uint32_t mode, FileKind kind) const {
  if (octal_) return *octal_;
  const bool searchable = kind == FileKind::directory || (mode & 0111) != 0;
  for (const auto& change : changes_) {
    const std::uint32_t copied = (mode >> change.source_shift & 7) * 0111 & change.bits;
    switch (change.action) {
      case Action::clear:
        mode &= ~change.bits;
        break;
      case Action::set:
        mode |= change.bits;
        break;
      case Action::search:
        if (searchable) mode |= change.bits;
        break;
      case Action::add_copy:
        mode |= copied;
        break;
      case Action::take_copy:
        mode &= ~copied;
        break;
      case Action::put_copy:
        mode = (mode & ~change.bits) | copied;
        break;
    }
  }
  return mode & 07777;
}

}  // namespace dockerfile
