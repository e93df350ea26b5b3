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

// As the kernel writes them.
std::string escaped(std::string_view path) {
  std::string text;
  for (const char c : path) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\\') {
      const auto byte = static_cast<unsigned char>(c);
      text += {'\\', static_cast<char>('0' + byte / 64), static_cast<char>('0' + byte / 8 % 8),
               static_cast<char>('0' + byte % 8)};
    } else {
      text += c;
    }
  }
  return text;
}

constexpr int first_of_step = 1'000'000;  // the kernel gives out small numbers

MountLine line_of(const StepMount& mount, int number, const MountLine& root) {
  const auto id = std::to_string(first_of_step + number);
  if (mount.kind == StepMount::Kind::bind) {
    auto line = root;
    auto& fields = line.fields;
    fields[0] = id;
    fields[1] = root.fields[0];
    fields[3] = (fields[3] == "/" ? "" : fields[3]) + escaped(mount.target);
    fields[4] = escaped(mount.target);
    if (mount.read_only) fields[5].replace(0, 2, "ro");
    return line;
  }
  const bool is_file = mount.kind == StepMount::Kind::memory_file;
  const std::string of_file = mount.runs ? "ro,nosuid,nodev,relatime" : "ro,nosuid,nodev,noexec,relatime";
  MountLine line;
  line.fields = {id,
                 root.fields[0],
                 "0:" + std::to_string(first_of_step),
                 is_file ? "/" + std::to_string(number) : "/",
                 escaped(mount.target),
                 is_file ? of_file : "rw,nosuid,nodev,relatime",
                 "-",
                 "tmpfs",
                 "tmpfs",
                 is_file ? "rw,mode=700" : "rw"};
  if (mount.size) line.fields.back() += ",size=" + std::to_string(*mount.size / 1024) + "k";
  line.type = 7;
  return line;
}

std::vector<MountLine> lines_for(std::string_view text, const std::string& root,
                                 const std::vector<StepMount>& mounts) {
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
    int number = 0;
    for (const auto& mount : mounts)
      system.push_back(line_of(mount, ++number, *holder));
    system.insert(system.begin(), std::move(*holder));
  }
  return system;
}

}  // namespace

std::string step_mount_info(std::string_view text, const std::string& root,
                            const std::vector<StepMount>& mounts) {
  std::string table;
  for (const auto& line : lines_for(text, root, mounts))
    table += util::join(line.fields, " ") + "\n";
  return table;
}

std::string step_mounts(std::string_view text, const std::string& root,
                        const std::vector<StepMount>& mounts) {
  std::string table;
  for (const auto& line : lines_for(text, root, mounts)) {
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
