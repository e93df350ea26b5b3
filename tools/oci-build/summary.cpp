// The summary's lines.
#include "tools/oci-build/summary.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace oci_build {
namespace {

namespace fs = std::filesystem;

std::string seconds(std::chrono::milliseconds duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", std::chrono::duration<double>(duration).count());
  return text;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string built_only(const Export& built) {
  const auto what = built.target ? "target " + util::quote(*built.target) + " was built only" : "built only";
  return "no directory " + util::quote(built.directory) + ": " + what + ", nothing exported";
}

}  // namespace

std::uint64_t disk_size(const fs::path& path) {
  std::uint64_t size = 0;
  std::set<std::pair<dev_t, ino_t>> seen;
  const auto add = [&](const fs::path& entry) {
    struct stat status;
    if (::lstat(entry.c_str(), &status) != 0) util::throw_errno("cannot read " + util::quote(entry.string()));
    if (!S_ISREG(status.st_mode)) return;
    if (status.st_nlink > 1 && !seen.emplace(status.st_dev, status.st_ino).second) return;
    size += static_cast<std::uint64_t>(status.st_size);
  };
  add(path);
  if (!fs::is_directory(fs::symlink_status(path))) return size;
  // Directories that only others may read count as empty.
  std::error_code error;
  fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error))
    add(entry->path());
  if (error) throw util::Error("cannot read " + util::quote(path.string()) + ": " + error.message());
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
