// Renames in an order that a kill between any two of them leaves recoverable.
#include "tools/oci-build/publication.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace oci_build {
namespace {

namespace fs = std::filesystem;

constexpr const char* journal_name = "journal";
constexpr const char* committed_name = "committed";  // the leader's journal after commit
// Where what exchange() replaces waits until the staging directory goes away.
constexpr const char* replaced_name = "replaced";

constexpr std::string_view format = "oci-build/publication/1";
constexpr std::uint64_t most_journal_bytes = 1 << 20;

std::optional<mode_t> mode_of(const fs::path& path) {
  const auto status = sys::find_status(path, sys::Links::kept);
  return status ? std::optional(status->st_mode) : std::nullopt;
}

bool is_there(const fs::path& path) {
  return sys::is_there(path, sys::Links::kept);
}

// Without root a directory moves to another parent only while it is writable, and the root of many an image
// is not. A kill in between leaves it so; the journal knows the mode it had.
int rename_unwritable(const fs::path& from, const fs::path& to) {
  const auto mode = mode_of(from);
  if (!mode || !S_ISDIR(*mode)) return EACCES;
  if (::chmod(from.c_str(), (*mode & 07777) | S_IWUSR) != 0) return EACCES;
  const int error = ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  ::chmod((error == 0 ? to : from).c_str(), *mode & 07777);
  return error;
}

// 0 or the error number.
int try_move(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return 0;
  return errno == EACCES ? rename_unwritable(from, to) : errno;
}

[[noreturn]] void fail_to_move(const fs::path& from, const fs::path& to, int error) {
  util::throw_errno("cannot move " + util::quote(from.string()) + " to " + util::quote(to.string()), error);
}

void move(const fs::path& from, const fs::path& to) {
  if (const int error = try_move(from, to)) fail_to_move(from, to, error);
}

// What rename_unwritable() would have done had it not been killed.
void restore_mode(const fs::path& path, std::optional<mode_t> mode) {
  if (!mode || !S_ISDIR(*mode)) return;
  const auto now = mode_of(path);
  if (!now || *now == *mode || !S_ISDIR(*now)) return;
  sys::set_mode(path, *mode & 07777);
}

std::string field_of(std::optional<mode_t> mode) {
  return mode ? std::to_string(*mode) : "-";
}

std::optional<mode_t> mode_in(const std::string& field) {
  const auto number = util::parse_uint(field);
  return number ? std::optional(static_cast<mode_t>(*number)) : std::nullopt;
}

// The modes are those of now: all of `output_names` that lie on either side.
std::vector<Journal::Name> names_to_move(const fs::path& directory, const fs::path& staging) {
  std::vector<Journal::Name> names;
  for (const auto name : output_names) {
    Journal::Name found{std::string(name), mode_of(directory / name), mode_of(staging / name)};
    if (found.old || found.made) names.push_back(std::move(found));
  }
  return names;
}

}  // namespace

std::string to_text(const Journal& journal) {
  std::string text;
  const auto add = [&](std::string_view field) { text.append(field).push_back('\0'); };
  add(format);
  if (journal.leader) {
    add("leader");
    add(journal.leader->string());
  }
  for (const auto& follower : journal.followers) {
    add("follower");
    add(follower.string());
  }
  for (const auto& name : journal.names) {
    add("name");
    add(name.name);
    add(field_of(name.old));
    add(field_of(name.made));
  }
  add("end");
  return text;
}

std::optional<Journal> parse_journal(const std::string& text) {
  const auto fields = util::split(text, '\0');
  if (!text.ends_with('\0') || fields.front() != format) return std::nullopt;
  Journal journal;
  for (std::size_t i = 1; i < fields.size();) {
    const std::string kind(fields[i]);
    const auto left = fields.size() - i - 1;
    if (kind == "end") return journal;
    if (kind == "leader" && left > 0) {
      journal.leader = fs::path(fields[i + 1]);
      i += 2;
    } else if (kind == "follower" && left > 0) {
      journal.followers.emplace_back(fields[i + 1]);
      i += 2;
    } else if (kind == "name" && left > 2) {
      const std::string name(fields[i + 1]);
      if (std::find(std::begin(output_names), std::end(output_names), name) == std::end(output_names)) break;
      journal.names.push_back(
          {name, mode_in(std::string(fields[i + 2])), mode_in(std::string(fields[i + 3]))});
      i += 4;
    } else {
      break;
    }
  }
  return std::nullopt;
}

Publication::Publication(fs::path staging, Journal journal, bool committed)
    : directory_(staging.parent_path()),
      staging_(std::move(staging)),
      journal_(std::move(journal)),
      committed_(committed) {}

Publication::Publication(fs::path staging, std::optional<fs::path> leader, std::vector<fs::path> followers)
    : Publication(std::move(staging), Journal{{}, std::move(leader), std::move(followers)}, false) {
  journal_.names = names_to_move(directory_, staging_);
  sys::make_directory(staging_ / replaced_name, 0700);
  const auto path = staging_ / journal_name;
  sys::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) util::throw_errno("cannot create " + util::quote(path.string()));
  sys::write_all(file.get(), to_text(journal_), util::quote(path.string()));
  sys::close_checked(std::move(file), util::quote(path.string()));
}

std::optional<Publication> Publication::find(const fs::path& staging) {
  for (const bool committed : {false, true}) {
    const auto path = staging / (committed ? committed_name : journal_name);
    const auto file = sys::find_readable(path, sys::Readable::entry);
    if (!file) continue;
    auto journal =
        parse_journal(sys::read_to_end(file.get(), util::quote(path.string()), most_journal_bytes));
    // Without its end it stands from before the first move.
    if (!journal) return std::nullopt;
    // A link would lead the moves elsewhere; none of ours is one.
    const auto replaced = mode_of(staging / replaced_name);
    if (!replaced || !S_ISDIR(*replaced)) return std::nullopt;
    return Publication(staging, std::move(*journal), committed);
  }
  return std::nullopt;
}

void Publication::exchange() {
  for (const auto& name : journal_.names) {
    const auto made = staging_ / name.name;
    const auto place = directory_ / name.name;
    const auto replaced = staging_ / replaced_name / name.name;
    // A file is never missing from its place, where the filesystem has links: it is replaced by one rename.
    const bool linked = name.old && name.made && !S_ISDIR(*name.old) &&
                        ::linkat(AT_FDCWD, place.c_str(), AT_FDCWD, replaced.c_str(), 0) == 0;
    if (name.old && !linked) {
      const int error = try_move(place, replaced);
      // On an overlay, directories of the lower layer cannot be renamed, only removed: left to finish().
      if (error == EXDEV && S_ISDIR(*name.old)) continue;
      if (error != 0) fail_to_move(place, replaced, error);
    }
    if (name.made) move(made, place);
  }
}

void Publication::commit() {
  move(staging_ / journal_name, staging_ / committed_name);
  committed_ = true;
}

void Publication::take_back() {
  for (const auto& name : journal_.names) {
    const auto made = staging_ / name.name;
    const auto place = directory_ / name.name;
    const auto replaced = staging_ / replaced_name / name.name;
    if (is_there(replaced)) {
      if (name.old && S_ISDIR(*name.old) && is_there(place)) {
        if (!name.made || is_there(made)) {
          throw util::Error("cannot put back " + util::quote(place.string()) + ", which lies in " +
                            util::quote(replaced.string()) +
                            " since a build was killed: something else has its place; move that away");
        }
        move(place, made);
      }
      move(replaced, place);
    } else if (!name.old && !is_there(made) && is_there(place)) {
      move(place, made);
    }
    restore_mode(place, name.old);
  }
}

void Publication::finish() {
  for (const auto& name : journal_.names) {
    const auto made = staging_ / name.name;
    const auto place = directory_ / name.name;
    if (!name.made) {
      if (!is_there(staging_ / replaced_name / name.name)) sys::remove_tree(place);
      continue;
    }
    if (is_there(made)) {
      sys::remove_tree(place);
      move(made, place);
    }
    restore_mode(place, name.made);
  }
}

void Publication::end() {
  const auto path = staging_ / (committed_ ? committed_name : journal_name);
  if (::unlink(path.c_str()) != 0) util::throw_errno("cannot remove " + util::quote(path.string()));
}

}  // namespace oci_build
