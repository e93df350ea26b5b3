// Lines of /proc/PID/mountinfo (proc(5)).
#include "common/sandbox/mount_table.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "common/util/text.hpp"

namespace sandbox {
namespace {

// "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE SUPER-OPTIONS"
struct MountLine {
  std::vector<std::string> fields;
  std::size_t type = 0;  // where the fields after the hyphen begin

  const std::string& point() const { return fields[4]; }
};

std::optional<MountLine> parse_line(const std::string& text) {
  MountLine line{.fields = util::split(text, ' ')};
  if (line.fields.size() < 10) return std::nullopt;
  const auto hyphen = std::find(line.fields.begin() + 6, line.fields.end(), "-");
  line.type = static_cast<std::size_t>(hyphen - line.fields.begin()) + 1;
  if (line.type + 3 > line.fields.size()) return std::nullopt;
  return line;
}

bool is_in(const std::string& path, const std::string& directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

std::vector<MountLine> lines_for(std::string_view text, const std::string& root) {
  std::vector<MountLine> system;
  std::optional<MountLine> holder;
  for (const auto& row : util::split(text, '\n')) {
    auto line = parse_line(row);
    if (!line) continue;
    const auto& point = line->point();
    if (is_in(point, "/proc") || is_in(point, "/dev") || is_in(point, "/sys")) {
      system.push_back(*line);
    } else if (is_in(root, point) && (!holder || point.size() >= holder->point().size())) {
      holder = std::move(line);
    }
  }
  if (holder) {
    auto& fields = holder->fields;
    const auto below = root.substr(fields[4] == "/" ? 0 : fields[4].size());
    fields[3] = (fields[3] == "/" ? "" : fields[3]) + below;
    if (fields[3].empty()) fields[3] = "/";
    fields[4] = "/";
    system.insert(system.begin(), std::move(*holder));
  }
  return system;
}

}  // namespace

std::string step_mount_info(std::string_view text, const std::string& root) {
  std::string table;
  for (const auto& line : lines_for(text, root))
    table += util::join(line.fields, " ") + "\n";
  return table;
}

std::string step_mounts(std::string_view text, const std::string& root) {
  std::string table;
  for (const auto& line : lines_for(text, root)) {
    const auto& fields = line.fields;
    // Both parts say whether it can be written; what the mount adds to the filesystem comes first.
    auto options = fields[5];
    for (const auto& option : util::split(fields[line.type + 2], ',')) {
      if (option != "rw" && option != "ro") options += "," + option;
    }
    table += fields[line.type + 1] + " " + line.point() + " " + fields[line.type] + " " + options + " 0 0\n";
  }
  return table;
}

}  // namespace sandbox
