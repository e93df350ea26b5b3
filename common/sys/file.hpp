// Whole files: read at once, or written so that they appear whole or not at all.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/sys/fd.hpp"

namespace sys {

// What a path that is opened for reading may lead to. Nothing else is waited for or read: a FIFO without a
// writer and many a device never answer.
enum class Readable {
  input,        // what a person named: a regular file, or the null device, the usual name of an empty file
  piped_input,  // what is read once from start to end: also a pipe without a name, as <(command) gives
  entry,        // of a directory that we keep: a regular file; a symbolic link in its place is not followed
};

// O_RDONLY | O_CLOEXEC, at once. Throws Error: "cannot open 'PATH': reason", or "'PATH' is a FIFO, not a
// file".
UniqueFd open_readable(const std::filesystem::path& path, Readable readable = Readable::input);

// The same, but an empty descriptor where there is nothing (ENOENT, ENOTDIR).
UniqueFd find_readable(const std::filesystem::path& path, Readable readable = Readable::input);

// The same for the entry `name` of an open directory (Readable::entry); `what` shows it in errors.
UniqueFd find_entry_at(int directory, const std::string& name, const std::string& what);

// What lies at `path` below a directory, without a symlink anywhere on the way, in one call. Empty with
// errno, also where the kernel or a sandbox around us does not know openat2(2).
UniqueFd open_beneath(int directory, const std::string& path, int flags) noexcept;

// The regular file `name` of a directory for reading, never what a symlink points at. Looked at before it is
// opened, by the descriptor that is opened then: to open a device or a FIFO is an act of its own. Empty if
// nothing or something else has that name. Throws Error: "cannot open WHAT: reason".
UniqueFd find_regular_at(int directory, const std::string& name, const std::string& what);

// Throws Error "WHAT is a FIFO, not a file" unless `fd` is a regular file: for what is opened in other ways,
// with O_NONBLOCK then.
void require_regular(int fd, const std::string& what);

// "a directory", "a FIFO", ..., "a file" of a stat mode.
std::string_view kind_of_file(mode_t mode) noexcept;

// The whole file as bytes. Throws Error if it cannot be read or is larger than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::uint64_t limit = 64 << 20,
                      Readable readable = Readable::input);

// The same, but "" if nothing is there. To the end, as files of /proc say 0 bytes of themselves.
std::string read_if_there(const std::filesystem::path& path);

// Everything up to the end of an open descriptor, with the same limit; `what` names it in errors.
std::string read_to_end(int fd, const std::string& what, std::uint64_t limit = 64 << 20);

// Writes `content` beside `path` and renames it into place: a reader sees the old file or the new one, whole.
// The mode is `mode` whatever the umask. Throws Error; then nothing is left behind.
void write_file(const std::filesystem::path& path, std::string_view content, mode_t mode = 0644);

// A new file of mode `mode`, whatever the umask, whose name is `pattern` with other characters for the
// "XXXXXX" at its end; `pattern` holds the name then. Throws Error, which names it as `what`.
UniqueFd make_temporary_file(std::string& pattern, mode_t mode, const std::string& what);

// Renames the directory `from` to `to` on the same filesystem, whatever is there. What was there has the name
// `from` afterwards where the kernel can exchange the two at once, and is removed first where it cannot.
// Throws Error.
void replace_directory(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace sys
