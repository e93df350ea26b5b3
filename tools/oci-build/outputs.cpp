// Staging directories, and the renames that publish what is in them.
#include "tools/oci-build/outputs.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <utility>

#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace oci_build {
namespace {

namespace fs = std::filesystem;

// Where the files that publish() replaces wait until the staging directory goes away.
constexpr std::string_view replaced_name = "replaced";

sys::UniqueFd try_lock(const fs::path& directory) {
  sys::UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return sys::UniqueFd();
  return fd;
}

void remove_leftovers(const fs::path& directory) {
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().filename().string().starts_with(staging_prefix)) leftovers.push_back(entry.path());
  }
  for (const auto& leftover : leftovers) {
    const auto lock = try_lock(leftover);
    if (!lock) continue;  // of a build that still runs
    util::log::debug("removing " + util::quote(leftover.string()) + ", left by a build that was killed");
    sys::remove_tree(leftover);
  }
}

[[noreturn]] void refuse(const fs::path& path, const std::string& reason) {
  throw util::Error("cannot export to " + util::quote(path.parent_path().string()) + ": " +
                    util::quote(path.string()) + " " + reason + " and would be replaced; move it away");
}

// A target's name may be that of a source directory, with an 'image' or 'rootfs' of its own in it.
void check_replaceable(const fs::path& directory) {
  for (const auto name : output_names) {
    const auto path = directory / name;
    const auto status = fs::symlink_status(path);
    if (status.type() == fs::file_type::not_found) continue;
    if (name == "image" || name == "rootfs") {
      if (!fs::is_directory(status)) refuse(path, "is not a directory");
      const auto proof = name == "image" ? path / "oci-layout" : directory / "metadata.json";
      if (!fs::is_empty(path) && !fs::exists(proof)) refuse(path, "was not made by a build");
    } else if (fs::is_directory(status)) {
      refuse(path, "is a directory");
    }
  }
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

// Without root a directory moves to another parent only while it is writable, and the root of many an image
// is not.
void rename_unwritable(const fs::path& from, const fs::path& to, std::error_code& error) {
  const auto status = fs::symlink_status(from);
  if (!fs::is_directory(status)) return;
  fs::permissions(from, fs::perms::owner_write, fs::perm_options::add, error);
  if (error) return;
  fs::rename(from, to, error);
  std::error_code ignored;
  fs::permissions(error ? from : to, status.permissions(), ignored);
}

[[noreturn]] void fail_to_move(const fs::path& from, const fs::path& to, const std::error_code& error) {
  throw util::Error("cannot move " + util::quote(from.string()) + " to " + util::quote(to.string()) + ": " +
                    error.message());
}

void make_directory(const fs::path& path) {
  std::error_code error;
  fs::create_directory(path, error);
  if (error) throw util::Error("cannot make " + util::quote(path.string()) + ": " + error.message());
}

// Renames that are taken back unless finish() is called.
class Moves {
public:
  Moves() = default;
  Moves(const Moves&) = delete;
  Moves& operator=(const Moves&) = delete;
  ~Moves() {
    for (auto move = done_.rbegin(); move != done_.rend(); ++move) {
      std::error_code error;
      fs::rename(move->to, move->from, error);
      if (error) {
        util::log::warning("cannot put back " + util::quote(move->from.string()) + ": " + error.message());
      }
    }
  }

  // Puts `made` in the place of `place`, what is there to `replaced`, whose folder is made then. Either may
  // be absent.
  void exchange(const fs::path& made, const fs::path& place, const fs::path& replaced) {
    if (is_there(place)) {
      make_directory(replaced.parent_path());
      if (const auto error = move(place, replaced)) {
        // On an overlay, directories of the lower layer cannot be renamed, only removed.
        if (error != std::errc::cross_device_link) fail_to_move(place, replaced, error);
        to_remove_.push_back({made, place});
        return;
      }
    }
    if (!is_there(made)) return;
    if (const auto error = move(made, place)) fail_to_move(made, place, error);
  }

  // Does what cannot be taken back.
  void finish() {
    for (const auto& [made, place] : to_remove_) {
      sys::remove_tree(place);
      if (!is_there(made)) continue;
      if (const auto error = move(made, place)) fail_to_move(made, place, error);
    }
    done_.clear();
  }

private:
  struct Move {
    fs::path from, to;
  };

  std::error_code move(const fs::path& from, const fs::path& to) {
    Move record{from, to};
    done_.reserve(done_.size() + 1);  // nothing may throw between the rename and its record
    std::error_code error;
    fs::rename(from, to, error);
    if (error == std::errc::permission_denied) rename_unwritable(from, to, error);
    if (!error) done_.push_back(std::move(record));
    return error;
  }

  std::vector<Move> done_;
  std::vector<Move> to_remove_;  // the place in `to`
};

}  // namespace

fs::path Outputs::stage(const fs::path& directory) try {
  auto canonical = fs::canonical(directory);
  if (std::any_of(staged_.begin(), staged_.end(),
                  [&](const Staged& s) { return s.canonical == canonical; })) {
    throw util::Error("two targets would be exported to " + util::quote(directory.string()));
  }
  remove_leftovers(directory);
  check_replaceable(directory);
  sys::TempDir staging(directory, std::string(staging_prefix));
  auto lock = try_lock(staging.path());
  staged_.push_back({directory, std::move(canonical), std::move(staging), std::move(lock)});
  return staged_.back().staging.path();
} catch (const fs::filesystem_error& error) {
  throw util::Error("cannot export to " + util::quote(directory.string()) + ": " + error.code().message());
}

void Outputs::publish() {
  Moves moves;
  for (const auto& output : staged_) {
    const auto& staging = output.staging.path();
    const auto replaced = staging / replaced_name;
    for (const auto name : output_names) {
      moves.exchange(staging / name, output.directory / name, replaced / name);
    }
  }
  moves.finish();
}

}  // namespace oci_build
