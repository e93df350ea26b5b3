// What builds before have read of files outside of the store, for who finds these files unchanged.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/hash/digest.hpp"
#include "common/store/entries.hpp"
#include "common/store/spill.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/file_state.hpp"

namespace store {

// A record holds the files of one directory in the order of a walk: names in byte order, what lies in a
// directory right after it. It is "oci-build/file-seals/1 BOOT\n", then blocks of some 64 KiB, each a size of
// four bytes, a SHA-256 over the line, its number and its content, and the content: for each file how many
// bytes of its path are those of the file before, how many follow, these, then inode, size, both times and
// the SHA-256 of its bytes. Numbers are as the machine has them. So any number of files is read and written
// in little memory, beside a walk.
//
// It holds for one boot, whose clock alone the times are of, and is believed where it is whole: up to damage,
// then no further.

// Outlived by the Seals it is from.
class SealReader {
public:
  SealReader(SealReader&&) noexcept = default;
  SealReader& operator=(SealReader&&) = delete;

  // The digest of the bytes of the file at `path`, if somebody has read them when its state was this one.
  // Each call asks for what comes later in a walk than what the one before asked for.
  std::optional<hash::Digest> find(std::string_view path, const sys::FileState& state);

private:
  friend class Seals;
  SealReader(sys::UniqueFd fd, std::string header) : fd_(std::move(fd)), header_(std::move(header)) {}

  bool next();
  bool next_block();

  sys::UniqueFd fd_;
  std::string header_;
  std::uint64_t number_ = 0;  // of the next block
  std::string block_;
  std::size_t at_ = 0;  // in it
  std::string path_;    // of the file that was read last
  std::size_t digest_at_ = 0;
  sys::FileState state_;
  bool is_begun_ = false;
  bool is_done_ = false;
};

// The record appears whole with commit() or not at all. Outlived by the Seals it is from.
class SealWriter {
public:
  // In the order of a walk. Throws util::Error.
  void add(std::string_view path, const sys::FileState& state, const hash::Digest& digest);
  void commit();

private:
  friend class Seals;
  SealWriter(NewEntry file, std::string header, const Folder& folder, std::string name);

  void end_block();

  NewEntry file_;
  std::string header_;
  const Folder& folder_;
  std::string name_;
  std::uint64_t number_ = 0;
  std::string block_;
  std::string path_;
};

class Seals {
public:
  // `partial` is for what is being written. Both live longer. `tells_changes` says of an open directory
  // whether files in it can be sealed (sys::tells_changes).
  Seals(const Folder& folder, const Folder& partial, Spill& spill, std::function<bool(int)> tells_changes)
      : folder_(folder), partial_(partial), spill_(spill), tells_changes_(std::move(tells_changes)) {}

  bool is_possible_in(int directory) const { return tells_changes_(directory); }

  // The record of this name, which counts as a use; nothing if there is none of this boot.
  std::optional<SealReader> read(const hash::Digest& name);
  // Nothing where it cannot be written.
  std::optional<SealWriter> write(const hash::Digest& name);

private:
  const Folder& folder_;
  const Folder& partial_;
  Spill& spill_;
  std::function<bool(int)> tells_changes_;
};

}  // namespace store
