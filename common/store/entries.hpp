// Entries of the state directory, as whoever can write there left them or exchanges them meanwhile: each is
// looked up by its name alone, below a descriptor of the folder that holds it. Nothing here waits for a FIFO
// or follows a symlink, and what is of the wrong kind gives way.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/store/warn.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/fd.hpp"

namespace store {

// A directory held open: whatever becomes of its name, this is the one that was looked at.
class Folder {
public:
  // `path` is how a person knows it.
  Folder(sys::UniqueFd fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}

  int fd() const noexcept { return fd_.get(); }

  const std::filesystem::path& path() const noexcept { return path_; }
  // The same, or what is in it, quoted for messages.
  std::string shown() const;
  std::string shown(const std::string& name) const;

  // For who takes nothing but paths: leads to the open directory itself, by no name that anybody can
  // exchange, as long as this lives.
  std::filesystem::path handle() const;

  // Open for reading names (sys::names_in). Throws util::Error.
  sys::UniqueFd open_list() const;

private:
  sys::UniqueFd fd_;
  std::filesystem::path path_;
};

// The directory `name`; nothing if nothing is there. Throws util::Error for anything else.
std::optional<Folder> find_folder(const Folder& parent, const std::string& name);

// The same, made with `mode` if need be. Anything else there is removed and warned of, and a directory of our
// own that we may not enter is opened to us. Throws util::Error.
Folder require_folder(const Folder& parent, const std::string& name, mode_t mode, const Warn& warn);

// The file `name`, made if need be, open for reading and writing; one that is not a regular file, or that has
// a second name, which may lie anywhere, is removed and made anew. Throws util::Error.
sys::UniqueFd open_own_file(const Folder& folder, const std::string& name);

// The regular file `name`, open for reading; empty if nothing is there. Throws util::Error for anything else.
sys::UniqueFd find_file(const Folder& folder, const std::string& name);

// Whatever lies there; what cannot be removed stays. False then.
bool remove_entry(const Folder& folder, const std::string& name) noexcept;
// The same for what may hold very much: throws as sys::Cancellation::check does.
bool remove_entry(const Folder& folder, const std::string& name, const sys::Cancellation& cancel);

// What the file is called whose time is that of the last use of the file `name`; and back.
std::string use_of(const std::string& name);
bool is_use(const std::string& name);
std::string of_use(const std::string& name);

// True for what somebody who was killed left in the store's directory for things being made.
bool is_leftover(const std::string& name);

// True for what open_own_file() takes as it is, and for nothing at all.
bool is_own_file(const Folder& folder, const std::string& name);

// True if the open file is the one that is called `name` now.
bool is_file_at(int fd, const Folder& folder, const std::string& name);

// True if the file occupies less than its size says: nothing that we write does, and reading it through takes
// as long as somebody liked it to.
bool has_hole(int fd);

// Something being written in the store's directory for that, the only one where a killed build leaves
// anything. Removed again without place(). The Folder lives longer.
class NewEntry {
public:
  NewEntry(NewEntry&& other) noexcept
      : partial_(other.partial_), name_(std::exchange(other.name_, {})), fd_(std::move(other.fd_)) {}
  NewEntry& operator=(NewEntry&&) = delete;
  ~NewEntry();

  static NewEntry file(const Folder& partial);       // open for writing, mode 0600
  static NewEntry directory(const Folder& partial);  // empty, mode 0700

  int fd() const noexcept { return fd_.get(); }
  std::string shown() const { return partial_->shown(name_); }
  // Of a directory, as a Folder of its own.
  Folder open() const;

  // A file is closed, which is checked, with mode 0644. Renamed, it replaces what has the name in `folder`,
  // a directory only an empty one. Throws util::Error. At most once.
  void place(const Folder& folder, const std::string& name);

private:
  NewEntry(const Folder& partial, std::string name, sys::UniqueFd fd)
      : partial_(&partial), name_(std::move(name)), fd_(std::move(fd)) {}

  const Folder* partial_;
  std::string name_;
  sys::UniqueFd fd_;  // of a file
};

// Replaces the file `name` by one with this content, whole. Throws util::Error.
void write_entry(const Folder& folder, const std::string& name, std::string_view content,
                 const Folder& partial);

}  // namespace store
