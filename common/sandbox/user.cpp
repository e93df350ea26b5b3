// Lookups in passwd and group files, by the rules of moby/sys/user.
#include "common/sandbox/user.hpp"

#include <algorithm>
#include <optional>

#include "common/sys/file.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

constexpr std::uint64_t max_file = 10 << 20;
constexpr std::uint64_t max_id = (std::uint64_t{1} << 31) - 1;

struct PasswdEntry {
  std::string name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string home;
};

struct GroupEntry {
  std::string name;
  std::uint32_t gid = 0;
  std::vector<std::string> members;
};

std::optional<std::uint32_t> parse_id(std::string_view text) {
  const auto id = util::parse_uint(text);
  if (!id || *id > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*id);
}

// The fields of each line that is no comment; short lines are filled up with empty fields.
std::vector<std::vector<std::string>> read_fields(sys::RootedDir& root, std::string_view path,
                                                  std::size_t count) {
  std::vector<std::vector<std::string>> lines;
  const auto fd = root.open_file(path);
  if (!fd) return lines;
  const auto content = sys::read_to_end(fd.get(), util::quote(path), max_file);
  for (const auto& raw : util::split(content, '\n')) {
    const auto line = util::trim(raw);
    if (line.empty() || line.front() == '#') continue;
    auto fields = util::split(line, ':');
    fields.resize(std::max(fields.size(), count));
    lines.push_back(std::move(fields));
  }
  return lines;
}

std::vector<PasswdEntry> read_passwd(sys::RootedDir& root) {
  std::vector<PasswdEntry> entries;
  for (const auto& fields : read_fields(root, "/etc/passwd", 7)) {
    entries.push_back(
        {fields[0], parse_id(fields[2]).value_or(0), parse_id(fields[3]).value_or(0), fields[5]});
  }
  return entries;
}

std::vector<GroupEntry> read_groups(sys::RootedDir& root) {
  std::vector<GroupEntry> entries;
  for (const auto& fields : read_fields(root, "/etc/group", 4)) {
    entries.push_back({fields[0], parse_id(fields[2]).value_or(0), util::split(fields[3], ',')});
  }
  return entries;
}

const PasswdEntry* find_user(const std::vector<PasswdEntry>& entries, const std::string& name) {
  const auto id = parse_id(name);
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
    return entry.name == name || (id && entry.uid == *id);
  });
  return found == entries.end() ? nullptr : &*found;
}

const GroupEntry* find_group(const std::vector<GroupEntry>& entries, const std::string& name) {
  const auto id = parse_id(name);
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
    return entry.name == name || (id && entry.gid == *id);
  });
  return found == entries.end() ? nullptr : &*found;
}

std::uint32_t checked_id(const std::string& what, const std::string& name, std::optional<std::uint32_t> id) {
  if (!id)
    throw util::Error("unable to find " + what + " " + name + ": no matching entries in " +
                      (what == "user" ? "passwd" : "group") + " file");
  if (*id > max_id) throw util::Error("uids and gids must be in range 0-2147483647");
  return *id;
}

struct Words {
  std::string user;
  std::optional<std::string> group;
};

Words split_spec(const std::string& spec) {
  const auto colon = spec.find(':');
  if (colon == std::string::npos) return {spec, std::nullopt};
  return {spec.substr(0, colon), spec.substr(colon + 1)};
}

// The number that an owner's word is; BuildKit takes root for one without a look into the files.
std::optional<std::uint32_t> parse_owner_id(const std::string& word) {
  if (word == "root") return 0;
  const auto id = parse_id(word);
  return id && *id <= max_id ? id : std::nullopt;
}

}  // namespace

User resolve_user(sys::RootedDir& root, const std::string& spec) {
  const auto words = split_spec(spec.empty() ? "0" : spec);
  const auto passwd = read_passwd(root);
  const auto groups = read_groups(root);
  User user;

  const auto number = words.user == "root" ? std::optional<std::uint32_t>(0) : parse_id(words.user);
  const auto group_number =
      words.group == "root" ? std::optional<std::uint32_t>(0) : parse_id(words.group.value_or(""));
  const PasswdEntry* entry = find_user(passwd, words.user);
  if (words.group && number && group_number) {
    user.uid = *number;  // two numbers ask no file
    user.gid = *group_number;
  } else {
    if (entry != nullptr) {
      user.uid = entry->uid;
      user.gid = entry->gid;
    } else if (!words.user.empty()) {
      user.uid = checked_id("user", words.user, parse_id(words.user));
    }
    if (words.group && !words.group->empty()) {
      const auto* group = find_group(groups, *words.group);
      user.gid = group != nullptr ? group->gid : checked_id("group", *words.group, group_number);
    } else if (entry != nullptr) {
      for (const auto& group : groups) {
        const auto& members = group.members;
        if (std::find(members.begin(), members.end(), entry->name) != members.end())
          user.groups.push_back(group.gid);
      }
    }
  }
  if (std::find(user.groups.begin(), user.groups.end(), user.gid) == user.groups.end()) {
    user.groups.insert(user.groups.begin(), user.gid);
  }

  const auto own =
      std::find_if(passwd.begin(), passwd.end(), [&](const auto& line) { return line.uid == user.uid; });
  user.home = own != passwd.end() ? own->home : user.uid == 0 ? "/root" : "/";
  return user;
}

bool names_owner(const std::string& spec) {
  const auto words = split_spec(spec);
  return !parse_owner_id(words.user) || (words.group && !parse_owner_id(*words.group));
}

Owner resolve_owner(sys::RootedDir& root, const std::string& spec) {
  const auto words = split_spec(spec);
  Owner owner;
  if (const auto id = parse_owner_id(words.user)) {
    owner = {*id, *id};
  } else if (!words.user.empty()) {
    const auto passwd = read_passwd(root);
    const auto found = std::find_if(passwd.begin(), passwd.end(),
                                    [&](const auto& entry) { return entry.name == words.user; });
    if (found != passwd.end()) owner = {found->uid, found->gid};
  }
  if (words.group) {
    if (const auto id = parse_owner_id(*words.group)) {
      owner.gid = *id;
    } else if (!words.group->empty()) {
      const auto groups = read_groups(root);
      const auto found = std::find_if(groups.begin(), groups.end(),
                                      [&](const auto& entry) { return entry.name == *words.group; });
      if (found != groups.end()) owner.gid = found->gid;
    }
  }
  return owner;
}

}  // namespace sandbox
