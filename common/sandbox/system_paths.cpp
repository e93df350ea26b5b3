// As text alone: nothing here looks at a disk.
#include "common/sandbox/system_paths.hpp"

#include <algorithm>
#include <array>

#include "common/util/characters.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

using Kind = SystemPath::Kind;

bool is_at_or_below(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

template <std::size_t Count>
bool is_below_one(std::string_view path, const std::array<std::string_view, Count>& directories) {
  return std::any_of(directories.begin(), directories.end(),
                     [&](std::string_view directory) { return is_at_or_below(path, directory); });
}

constexpr std::array<std::string_view, 6> devices = {"null", "zero", "full", "random", "urandom", "ptmx"};
constexpr std::array<std::string_view, 3> standard = {"stdin", "stdout", "stderr"};
constexpr std::array<std::string_view, 5> proc_read_only = {"bus", "fs", "irq", "sys", "sysrq-trigger"};
constexpr std::array<std::string_view, 8> proc_masked_files = {
    "kcore", "interrupts", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug", "kmsg"};
constexpr std::array<std::string_view, 3> proc_masked = {"acpi", "asound", "scsi"};
constexpr std::array<std::string_view, 2> sys_masked = {"firmware", "devices/virtual/powercap"};

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 10 && std::all_of(text.begin(), text.end(), util::is_digit);
}

// The first component, and what follows it.
std::pair<std::string_view, std::string_view> split_first(std::string_view path) {
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) return {path, {}};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// `rest` of the directory /proc/PID, or of that of a thread.
SystemPath of_process(std::string directory, std::string_view rest, pid_t process, sys::Links links) {
  const auto whole = [&](Kind kind) {
    const auto path = rest.empty() ? directory : directory + "/" + std::string(rest);
    return SystemPath{.kind = kind, .path = path, .process = process};
  };
  if (rest == "mounts") return whole(Kind::mounts);
  if (rest == "mountinfo") return whole(Kind::mount_info);
  auto [first, after] = split_first(rest);
  if (first == "task") {
    const auto [thread, inside] = split_first(after);
    if (is_number(thread) && !inside.empty())
      return of_process(directory + "/task/" + std::string(thread), inside, process, links);
    return whole(Kind::file);
  }
  std::string link = directory + "/" + std::string(first);
  if (first == "fd") {
    const auto [number, inside] = split_first(after);
    link += "/" + std::string(number);
    after = inside;
  } else if (first != "cwd" && first != "root") {
    return whole(Kind::file);
  }
  if (after.empty()) return whole(Kind::file);
  return {.kind = Kind::behind_link, .path = link, .rest = std::string(after), .process = process};
}

// Whether a clean path is a link of a process or of a descriptor, to whatever that has.
bool is_link_of_kernel(std::string_view path) {
  const bool is_in_proc = path.starts_with("/proc/");
  if (!is_in_proc && !path.starts_with("/dev/")) return false;
  auto [first, rest] = split_first(path.substr(is_in_proc ? 6 : 5));
  if (!is_in_proc)
    return rest.empty() ? std::find(standard.begin(), standard.end(), first) != standard.end()
                        : first == "fd" && is_number(rest);
  if (first != "self" && first != "thread-self" && !is_number(first)) return false;
  if (rest.starts_with("task/")) rest = split_first(rest.substr(5)).second;
  return rest == "cwd" || rest == "root" || (rest.starts_with("fd/") && is_number(rest.substr(3)));
}

SystemPath in_proc(std::string_view rest, const Asker& asker, sys::Links links) {
  const auto own = "/proc/" + std::to_string(asker.process);
  const auto [first, after] = split_first(rest);
  const bool kept = after.empty() && links == sys::Links::kept;
  if (first == "self") {
    if (kept) return {.kind = Kind::link, .path = std::to_string(asker.process)};
    return of_process(own, after, 0, links);
  }
  if (first == "thread-self") {
    const auto thread = std::to_string(asker.process) + "/task/" + std::to_string(asker.thread);
    if (kept) return {.kind = Kind::link, .path = thread};
    return of_process("/proc/" + thread, after, 0, links);
  }
  if (first == "mounts" && after.empty() && !kept) return {.kind = Kind::mounts, .path = own + "/mounts"};
  if (first == "net" && !kept) {
    return {.path = own + "/" + std::string(rest)};
  }
  if (is_number(first)) {
    const auto process = static_cast<pid_t>(std::stoi(std::string(first)));
    return of_process("/proc/" + std::string(first), after, process == asker.process ? 0 : process, links);
  }
  if (rest == "sys/kernel/hostname")
    return {.kind = Kind::hostname, .path = "/proc/sys/kernel/hostname", .read_only = true};
  if (is_below_one(rest, proc_masked_files)) return {.path = "/dev/null", .read_only = true};
  if (is_below_one(rest, proc_masked)) return {.path = "/proc/ "};
  return {.path = rest.empty() ? "/proc" : "/proc/" + std::string(rest),
          .read_only = is_below_one(rest, proc_read_only)};
}

// Of the directories in it the step has its own.
std::optional<SystemPath> in_dev(std::string_view rest, const Asker& asker, sys::Links links) {
  const auto [first, after] = split_first(rest);
  const auto of_self = [&](const std::string& path) {
    return of_process("/proc/" + std::to_string(asker.process), path, 0, links);
  };
  const bool is_kept_link = links == sys::Links::kept && rest == "ptmx";  // to pts/ptmx
  if (!is_kept_link && after.empty() && std::find(devices.begin(), devices.end(), first) != devices.end())
    return SystemPath{.path = "/dev/" + std::string(first)};
  if (rest == "tty") return SystemPath{.kind = Kind::terminal, .path = "/dev/tty"};
  if (first == "pts" && (is_number(after) || after == "ptmx"))
    return SystemPath{.path = "/dev/" + std::string(rest)};
  // The links themselves are in the step's root.
  if (after.empty() && links == sys::Links::kept) return std::nullopt;
  if (first == "fd") return of_self(after.empty() ? "fd" : "fd/" + std::string(after));
  for (std::size_t i = 0; i < standard.size(); ++i) {
    if (first == standard[i])
      return of_self("fd/" + std::to_string(i) + (after.empty() ? "" : "/" + std::string(after)));
  }
  return std::nullopt;
}

}  // namespace

bool is_in_system(std::string_view path) noexcept {
  return is_at_or_below(path, "/proc") || is_at_or_below(path, "/dev") || is_at_or_below(path, "/sys");
}

std::string clean_system_path(const std::string& path) {
  std::string clean;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto component = std::string_view(path).substr(begin, end - begin);
    begin = std::min(end + 1, path.size());
    if (component.empty() || component == ".") continue;
    if (component == "..") {
      clean.erase(std::min(clean.rfind('/'), clean.size()));
      continue;
    }
    clean += '/';
    clean += component;
    if (begin < path.size() && is_link_of_kernel(clean)) return clean + "/" + path.substr(begin);
  }
  return clean.empty() ? "/" : clean;
}

bool may_be_system_path(std::string_view path) noexcept {
  // "." and ".." may lead there from anywhere.
  if (path.find("/.") != std::string_view::npos) return true;
  const auto begin = path.find_first_not_of('/');
  if (begin == std::string_view::npos) return false;
  path.remove_prefix(begin);
  return is_at_or_below(path, "proc") || is_at_or_below(path, "dev") || is_at_or_below(path, "sys") ||
         path.starts_with('.');
}

bool is_device_for_all(std::string_view path) noexcept {
  if (path == "/dev/ptmx") return false;  // who opens it owns a terminal
  return path.starts_with("/dev/") &&
         std::find(devices.begin(), devices.end(), path.substr(5)) != devices.end();
}

bool is_hidden_in_proc(std::string_view name) noexcept {
  return std::find(proc_masked.begin(), proc_masked.end(), name) != proc_masked.end();
}

std::optional<SystemPath> find_system_path(const std::string& path, const Asker& asker, sys::Links links) {
  const std::string_view text = path;
  const auto rest = [&](std::string_view directory) {
    return text.substr(std::min(text.size(), directory.size() + 1));
  };
  if (is_at_or_below(text, "/proc")) return in_proc(rest("/proc"), asker, links);
  if (is_at_or_below(text, "/dev")) return in_dev(rest("/dev"), asker, links);
  if (is_at_or_below(text, "/sys")) {
    if (is_below_one(rest("/sys"), sys_masked)) return SystemPath{.path = "/sys/ ", .read_only = true};
    return SystemPath{.path = path, .read_only = true};
  }
  return std::nullopt;
}

}  // namespace sandbox
