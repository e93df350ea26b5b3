// Members of an archive made of files of the machine.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/sys/cancellation.hpp"
#include "common/tar/writer.hpp"

namespace tar {

// What lstat(2) says of a file: its type, mode, owner, numbers of a device, and its mtime in whole seconds.
// What else a member has is the caller's: of a regular file the size too, as a second name of it has none.
Entry entry_of(std::string path, const struct stat& status);

// The data of an open file of `size` bytes, without its holes; nothing if it has none, or more than are worth
// it. The position of the descriptor changes.
std::optional<std::vector<Extent>> extents_of(int fd, std::uint64_t size);

// Writes the next `size` bytes of the open file as content of the member that was added last, through
// `buffer`. `what` names it in errors. Throws util::Error where there are fewer, and as
// sys::Cancellation::check does.
void write_content(Writer& writer, int fd, std::uint64_t size, const std::string& what,
                   std::span<std::byte> buffer, const sys::Cancellation& cancel);

}  // namespace tar
