// The stderr logger.
#include "common/util/log.hpp"

#include <unistd.h>
#include <cerrno>

#include <cstdlib>
#include <mutex>
#include <string>
#include <utility>

#include "common/util/text.hpp"

namespace util::log {
namespace {

std::string& program() {
  static std::string name;
  return name;
}

Level& threshold() {
  static Level level = Level::info;
  return level;
}

bool colours() {
  static const bool wanted = [] {
    const char* no_color = std::getenv("NO_COLOR");
    return ::isatty(STDERR_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
  }();
  return wanted;
}

std::mutex& output_mutex() {
  static std::mutex mutex;
  return mutex;
}

// Guarded by output_mutex(); empty = stderr.
std::function<void(std::string_view)>& diverted_to() {
  static std::function<void(std::string_view)> write;
  return write;
}

void print(Level level, std::string_view label, std::string_view colour, std::string_view message) {
  if (!shows(level)) return;
  std::string prefix = program().empty() ? std::string() : program() + ": ";
  if (!label.empty()) {
    prefix += colours() ? std::string(colour) + std::string(label) + "\x1b[0m: " : std::string(label) + ": ";
  }
  std::string text;
  for (const auto& line : split(message, '\n'))
    text += prefix + for_terminal(line) + "\n";
  const std::lock_guard lock(output_mutex());
  diverted_to() ? diverted_to()(text) : write_to_stderr(text);
}

}  // namespace

void write_to_stderr(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void set_program(std::string_view name) {
  program() = name;
}
void set_level(Level level) {
  threshold() = level;
}
bool shows(Level level) {
  return level <= threshold();
}

// An error needs no label: the exit code says it, and scripts match the line.
void error(std::string_view message) {
  print(Level::error, "", "", message);
}
void warning(std::string_view message) {
  print(Level::warning, "warning", "\x1b[33m", message);
}
void info(std::string_view message) {
  print(Level::info, "", "", message);
}
void debug(std::string_view message) {
  print(Level::debug, "debug", "\x1b[2m", message);
}

Diversion::Diversion(std::function<void(std::string_view)> write) {
  const std::lock_guard lock(output_mutex());
  diverted_to() = std::move(write);
}

Diversion::~Diversion() {
  const std::lock_guard lock(output_mutex());
  diverted_to() = nullptr;
}

}  // namespace util::log
