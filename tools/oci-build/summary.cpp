// The summary's lines.
#include "tools/oci-build/summary.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>
#include <utility>

#include "common/sys/paths.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace oci_build {
namespace {

namespace fs = std::filesystem;

std::string seconds(std::chrono::milliseconds duration) {
  return util::fixed(std::chrono::duration<double>(duration).count(), 2) + " s";
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string built_only(const Export& built) {
  const auto what = built.target ? "target " + util::quote(*built.target) + " was built only" : "built only";
  return "no directory " + util::quote(built.directory) + ": " + what + ", nothing exported";
}

// None in a directory that only others may read.
std::vector<std::string> readable_names(sys::RootedDir& root, const sys::RootedPath& directory) {
  try {
    return root.list(directory);
  } catch (const util::Error& error) {
    if (error.cause().code == std::errc::permission_denied) return {};
    throw;
  }
}

}  // namespace

std::uint64_t disk_size(const fs::path& path) {
  std::uint64_t size = 0;
  std::set<std::pair<dev_t, ino_t>> seen;
  const auto add = [&](const struct stat& status) {
    if (!S_ISREG(status.st_mode)) return;
    if (status.st_nlink > 1 && !seen.emplace(status.st_dev, status.st_ino).second) return;
    size += static_cast<std::uint64_t>(status.st_size);
  };
  const auto top = sys::find_status(path, sys::Links::kept);
  if (!top) util::throw_errno("cannot read " + util::quote(path.string()), ENOENT);
  add(*top);
  if (!S_ISDIR(top->st_mode)) return size;
  util::with_context(util::quote(path.string()), [&] {
    auto root = sys::RootedDir::open(path, sys::RootedDir::Times::natural);
    std::vector<sys::RootedPath> unread(1);
    while (!unread.empty()) {
      const auto directory = std::move(unread.back());
      unread.pop_back();
      for (const auto& name : readable_names(root, directory)) {
        auto place = directory.child(name);
        const auto status = root.status(place);
        if (!status) continue;
        add(*status);
        if (S_ISDIR(status->st_mode)) unread.push_back(std::move(place));
      }
    }
  });
  return size;
}

std::string summary(const std::vector<Export>& exports, const std::vector<Stage>& stages,
                    std::chrono::milliseconds total) {
  struct Row {
    std::string path, size, note;
  };
  std::vector<Row> rows;
  std::size_t path_width = 0;
  std::size_t size_width = 0;
  for (const auto& built : exports) {
    for (const auto& file : built.files) {
      const auto& row = rows.emplace_back(
          Row{util::escape(file.path.string()), util::human_size(file.size), util::escape(file.note)});
      path_width = std::max(path_width, row.path.size());
      size_width = std::max(size_width, row.size.size());
    }
  }

  std::string text;
  for (const auto& row : rows) {
    text += padded(row.path, path_width) + "  " + std::string(size_width - row.size.size(), ' ') + row.size;
    if (!row.note.empty()) text += "  " + row.note;
    text += "\n";
  }
  for (const auto& built : exports) {
    if (built.files.empty()) text += built_only(built) + "\n";
  }
  text += "time:";
  for (const auto& stage : stages)
    text += " " + stage.tool + " " + seconds(stage.duration) + ",";
  return text + " in all " + seconds(total);
}

}  // namespace oci_build
