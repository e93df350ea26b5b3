// A child that stays outside writes the maps.
#include "common/sys/user_namespace.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <optional>
#include <utility>

#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/mounts.hpp"
#include "common/sys/process.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sys {
namespace {

constexpr const char* refused_namespace = "this container may make no user namespace";

struct Maps {
  std::vector<IdRange> uids;
  std::vector<IdRange> gids;
};

std::vector<IdRange> kept(const std::filesystem::path& map) {
  auto ranges = parse_id_map(read_file(map));
  for (auto& range : ranges)
    range.outside = range.inside;
  return ranges;
}

std::string name_of(uid_t uid) {
  const auto* user = ::getpwuid(uid);
  return user == nullptr ? std::string() : user->pw_name;
}

bool may_make_user_namespace() {
  const pid_t trial = ::fork();
  if (trial < 0) util::throw_errno("cannot start a process");
  if (trial == 0) ::_exit(::unshare(CLONE_NEWUSER) == 0 || (errno != EPERM && errno != ENOSYS) ? 0 : 1);
  int status = 0;
  while (::waitpid(trial, &status, 0) < 0 && errno == EINTR) {}
  return status == 0;
}

// Ours, and after it those that were given to us.
std::vector<IdRange> with_subordinates(std::uint64_t own, const std::filesystem::path& list) {
  std::vector<IdRange> ranges = {{0, own, 1}};
  const auto text = read_if_there(list);
  std::uint64_t next = 1;
  for (auto range : subordinate_ids(text, name_of(::geteuid()), ::geteuid())) {
    range.inside = next;
    next += range.count;
    ranges.push_back(range);
  }
  if (ranges.size() == 1) {
    // What no ids would help against.
    if (!may_make_user_namespace()) throw util::Error(refused_namespace);
    if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
      throw util::Error("no_new_privs is set, under which nobody maps the ids of a user");
    throw util::Error("the user " + std::to_string(::geteuid()) + " has no ids in " + list.string() +
                      ", and steps and the files of images need others (usermod --add-subuids 100000-165535 "
                      "--add-subgids 100000-165535)");
  }
  return ranges;
}

Maps wanted_maps() {
  if (::geteuid() == 0) return {kept("/proc/self/uid_map"), kept("/proc/self/gid_map")};
  return {with_subordinates(::geteuid(), "/etc/subuid"), with_subordinates(::getegid(), "/etc/subgid")};
}

std::string to_text(const std::vector<IdRange>& ranges) {
  std::string text;
  for (const auto& range : ranges) {
    text += std::to_string(range.inside) + " " + std::to_string(range.outside) + " " +
            std::to_string(range.count) + "\n";
  }
  return text;
}

// The kernel takes the whole map in one write.
void write_map(const std::string& process, const std::string& name, const std::vector<IdRange>& ranges) {
  const auto path = "/proc/" + process + "/" + name;
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) util::throw_errno("cannot open " + util::quote(path));
  const auto text = to_text(ranges);
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    util::throw_errno("cannot map ids in a user namespace");
}

void run_mapper(const char* program, const std::string& process, const std::vector<IdRange>& ranges) {
  std::vector<std::string> arguments = {process};
  for (const auto& range : ranges) {
    for (const auto number : {range.inside, range.outside, range.count})
      arguments.push_back(std::to_string(number));
  }
  const auto path = find_program(program);
  if (!path) {
    throw util::Error(std::string(program) +
                      " is not installed, which maps the ids of a user (on Debian the package uidmap)");
  }
  arguments.insert(arguments.begin(), path->string());
  const UniqueFd complaints(::memfd_create("complaints", MFD_CLOEXEC));
  const auto result = run_captured({.argv = std::move(arguments), .stderr_fd = complaints.get()}, "");
  if (result.status.success()) return;
  ::lseek(complaints.get(), 0, SEEK_SET);
  throw util::Error(std::string(program) + " " + result.status.describe() + ": " +
                    std::string(util::trim(read_to_end(complaints.get(), "what a program complains of"))));
}

void write_maps(const std::string& process, const Maps& maps) {
  if (::geteuid() == 0) {
    write_map(process, "uid_map", maps.uids);
    write_map(process, "gid_map", maps.gids);
  } else {
    run_mapper("newuidmap", process, maps.uids);
    run_mapper("newgidmap", process, maps.gids);
  }
}

}  // namespace

std::vector<IdRange> parse_id_map(std::string_view text) {
  std::vector<IdRange> ranges;
  for (const auto& line : util::split(text, '\n')) {
    std::vector<std::uint64_t> numbers;
    for (const auto& word : util::split(line, ' ')) {
      if (const auto number = util::parse_uint(word)) numbers.push_back(*number);
    }
    if (numbers.size() == 3) ranges.push_back({numbers[0], numbers[1], numbers[2]});
  }
  return ranges;
}

std::vector<IdRange> subordinate_ids(std::string_view text, std::string_view user, std::uint64_t uid) {
  std::vector<IdRange> ranges;
  for (const auto& line : util::split(text, '\n')) {
    const auto fields = util::split(util::trim(line), ':');
    if (fields.size() != 3 || (fields[0] != user && fields[0] != std::to_string(uid))) continue;
    const auto first = util::parse_uint(fields[1]);
    const auto count = util::parse_uint(fields[2]);
    if (first && count && *count > 0) ranges.push_back({0, *first, *count});
  }
  return ranges;
}

void enter_user_namespace() {
  const auto maps = wanted_maps();
  const auto process = std::to_string(::getpid());
  auto entered = make_pipe();
  auto report = make_pipe();
  const pid_t mapper = ::fork();
  if (mapper < 0) util::throw_errno("cannot start a process");
  if (mapper == 0) {
    entered.write_end = UniqueFd();
    char byte = 0;
    if (::read(entered.read_end.get(), &byte, 1) != 1) ::_exit(1);
    std::string reason;
    try {
      write_maps(process, maps);
    } catch (const std::exception& error) {
      reason = error.what();
    }
    [[maybe_unused]] const auto written = ::write(report.write_end.get(), reason.data(), reason.size());
    ::_exit(reason.empty() ? 0 : 1);
  }
  report.write_end = UniqueFd();
  const bool is_inside = ::unshare(CLONE_NEWUSER) == 0;
  const int error = errno;
  if (is_inside) write_all(entered.write_end.get(), std::string_view("x"), "a pipe");
  entered.write_end = UniqueFd();
  const auto reason = read_to_end(report.read_end.get(), "what came of mapping ids");
  while (::waitpid(mapper, nullptr, 0) < 0 && errno == EINTR) {}
  errno = error;
  if (!is_inside) {
    if (error == EPERM || error == ENOSYS) throw util::Error(refused_namespace);
    throw unshare_error("a user namespace");
  }
  if (!reason.empty()) throw util::Error(reason);
  if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0 || ::setgroups(0, nullptr) != 0)
    util::throw_errno("cannot become root in a user namespace");
}

}  // namespace sys
