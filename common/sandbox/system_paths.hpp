// What the names in /proc, /dev and /sys that a step uses stand for on this machine.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "common/sys/paths.hpp"

namespace sandbox {

// A thread of a step, and the process that it belongs to.
struct Asker {
  pid_t thread = 0;
  pid_t process = 0;
};

struct SystemPath {
  enum class Kind {
    file,         // what lies at `path`
    link,         // a link whose text is `path`
    terminal,     // that of the process, if it has one
    mounts,       // the table of mounts as /proc/PID/mounts has it
    mount_info,   // as /proc/PID/mountinfo
    hostname,     // the name of the machine
    behind_link,  // `rest` below where the kernel's own link `path` leads, in the step's root
  };

  Kind kind = Kind::file;
  std::string path = {};
  std::string rest = {};
  pid_t process = 0;       // named by its number; 0 = none, or the asker itself
  bool read_only = false;  // nothing there can be written

  friend bool operator==(const SystemPath&, const SystemPath&) = default;
};

// Whether an absolute path that is clean is one of /proc, /dev and /sys, or below.
bool is_in_system(std::string_view path) noexcept;

// An absolute path without ".", ".." and what is doubled, as text, up to a link of the kernel's in /proc or
// /dev that leads to a directory: what follows that stays as it is, for only a walk tells where it leads.
std::string clean_system_path(const std::string& path);

// True unless `path`, as a program gives it, is surely none of these: a look at its text that costs nothing.
bool may_be_system_path(std::string_view path) noexcept;

// A device in /dev that every user can read and write.
bool is_device_for_all(std::string_view path) noexcept;

// Of the entries of /proc that are not shown.
bool is_hidden_in_proc(std::string_view name) noexcept;

// `path` is of clean_system_path(). Nothing for all that the step's root has itself: beside other names these
// are /dev with the directories in it, and all that is none of the devices every step has. `links` says
// whether the last component is followed.
std::optional<SystemPath> find_system_path(const std::string& path, const Asker& asker, sys::Links links);

}  // namespace sandbox
