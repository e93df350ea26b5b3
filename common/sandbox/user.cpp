// Lookups in passwd and group files, by the rules of moby/sys/user.
#include "common/sandbox/user.hpp"

#include <algorithm>
#include <optional>

#include "common/sandbox/sandbox.hpp"
#include "common/sys/file.hpp"
#include "common/util/characters.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

constexpr std::uint64_t max_file = 10 << 20;
constexpr std::int64_t max_id = (std::int64_t{1} << 31) - 1;

// Ids as the files have them, which may be what no id can be.
struct PasswdEntry {
  std::string name;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::string home;
};

struct GroupEntry {
  std::string name;
  std::int64_t gid = 0;
  std::vector<std::string> members;
};

// A decimal number, perhaps with a sign; one that does not fit is the nearest that does. Nothing for anything
// else.
std::optional<std::int64_t> parse_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !std::all_of(text.begin(), text.end(), util::is_digit)) return std::nullopt;
  const auto magnitude = util::parse_uint(text).value_or(UINT64_MAX);
  if (magnitude > INT64_MAX) return negative ? INT64_MIN : INT64_MAX;
  return negative ? -static_cast<std::int64_t>(magnitude) : static_cast<std::int64_t>(magnitude);
}

// A line as long as that is an error, as nobody would go on to read after it.
constexpr std::size_t longest_passwd_line = (64 << 10) - 1;
constexpr std::size_t longest_group_line = (1 << 20) - 1;

// Calls `visit` with the fields of each line that is not blank; short lines are filled up with empty fields.
// One line at a time: millions of them would take gigabytes.
template <typename Visit>
void read_fields(int fd, std::string_view path, std::size_t longest_line, std::size_t count,
                 const Visit& visit) {
  const auto content = sys::read_to_end(fd, util::quote(path), max_file);
  for (std::string_view rest = content; !rest.empty();) {
    const auto raw = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(raw.size() + 1, rest.size()));
    if (raw.size() > longest_line) throw util::Error("bufio.Scanner: token too long");
    const auto line = util::trim(raw);
    if (line.empty()) continue;
    auto fields = util::split(line, ':');
    fields.resize(std::max(fields.size(), count));
    visit(fields);
  }
}

constexpr std::string_view passwd_path = "/etc/passwd";
constexpr std::string_view group_path = "/etc/group";

// What looks like a comment in a passwd file is a user to moby/sys/user.
template <typename Visit>
void read_passwd(const sys::UniqueFd& file, const Visit& visit) {
  if (!file) return;
  read_fields(file.get(), passwd_path, longest_passwd_line, 7, [&](const auto& fields) {
    visit(PasswdEntry{fields[0], parse_integer(fields[2]).value_or(0), parse_integer(fields[3]).value_or(0),
                      fields[5]});
  });
}

template <typename Visit>
void read_groups(const sys::UniqueFd& file, const Visit& visit) {
  if (!file) return;
  read_fields(file.get(), group_path, longest_group_line, 4, [&](const auto& fields) {
    if (fields[0].starts_with('#')) return;
    visit(GroupEntry{fields[0], parse_integer(fields[2]).value_or(0), util::split(fields[3], ',')});
  });
}

// The first with that id, or with that name where there is none. All of the file is read: what is wrong with
// a later line counts.
std::optional<PasswdEntry> find_user(const sys::UniqueFd& file, const std::string& name,
                                     std::optional<std::int64_t> uid) {
  std::optional<PasswdEntry> found;
  read_passwd(file, [&](PasswdEntry entry) {
    if (!found && (uid ? entry.uid == *uid : entry.name == name)) found = std::move(entry);
  });
  return found;
}

std::optional<GroupEntry> find_group(const sys::UniqueFd& file, const std::string& name,
                                     std::optional<std::int64_t> gid) {
  std::optional<GroupEntry> found;
  read_groups(file, [&](GroupEntry entry) {
    if (!found && (gid ? entry.gid == *gid : entry.name == name)) found = std::move(entry);
  });
  return found;
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

// Two numbers, which ask no file and may be as large as the kernel's.
std::optional<Owner> parse_numbers(const Words& words) {
  const auto parse = [](const std::string& word) -> std::optional<std::uint32_t> {
    if (word == "root") return 0;
    const auto id = util::parse_uint(word);
    return id && *id <= UINT32_MAX ? std::optional(static_cast<std::uint32_t>(*id)) : std::nullopt;
  };
  const auto uid = parse(words.user);
  const auto gid = parse(words.group.value_or(""));
  return uid && gid ? std::optional(Owner{*uid, *gid}) : std::nullopt;
}

// The id that a word of USER is; nothing for a name.
std::optional<std::int64_t> parse_user_id(const std::string& word) {
  const auto id = parse_integer(word);
  if (id && (*id < 0 || *id > max_id)) throw util::Error("uids and gids must be in range 0-2147483647");
  return id;
}

// A file may say anything. The largest of 32 bits would leave a process what it was: root.
std::uint32_t process_id(std::int64_t id) {
  if (id < 0 || id >= UINT32_MAX)
    throw StartError("cannot become the step's user: no user or group can have the id " + std::to_string(id));
  return static_cast<std::uint32_t>(id);
}

// As the words of USER say; the home is not looked up.
User look_up(sys::RootedDir& root, const std::string& spec) {
  auto words = split_spec(spec);
  if (const auto numbers = parse_numbers(words))
    return {.uid = process_id(numbers->uid), .gid = process_id(numbers->gid)};
  // Here what follows a second colon is passed over.
  if (words.group) words.group = words.group->substr(0, words.group->find(':'));
  const std::string group_name = words.group.value_or("");
  const auto uid = parse_user_id(words.user);
  const auto gid = parse_user_id(group_name);

  User user;
  const auto entry =
      util::with_context("unable to find user " + (words.user.empty() ? "0" : words.user), [&] {
        return find_user(root.open_file(passwd_path), words.user,
                         words.user.empty() ? std::optional<std::int64_t>(0) : uid);
      });
  if (entry) {
    user.uid = process_id(entry->uid);
    user.gid = process_id(entry->gid);
  } else if (uid) {
    user.uid = process_id(*uid);
  } else if (!words.user.empty()) {
    throw util::Error("unable to find user " + words.user + ": no matching entries in passwd file");
  }
  const std::string matched = entry ? entry->name : "";
  if (group_name.empty() && matched.empty()) return user;

  std::vector<std::int64_t> groups;
  const auto group = util::with_context("unable to find groups for spec " + matched, [&] {
    const auto file = root.open_file(group_path);
    if (!group_name.empty()) return find_group(file, group_name, gid);
    read_groups(file, [&](const GroupEntry& each) {
      const auto& members = each.members;
      if (std::find(members.begin(), members.end(), matched) != members.end()) groups.push_back(each.gid);
    });
    return std::optional<GroupEntry>();
  });
  for (const auto id : groups)
    user.groups.push_back(process_id(id));
  if (group_name.empty()) return user;
  if (group) {
    user.gid = process_id(group->gid);
  } else if (gid) {
    user.gid = process_id(*gid);
  } else {
    throw util::Error("unable to find group " + group_name + ": no matching entries in group file");
  }
  return user;
}

std::uint32_t owner_id(std::int64_t id) {
  return static_cast<std::uint32_t>(id);
}

// The number that an owner's word is; BuildKit takes root for one without a look into the files, and nothing
// for 0.
std::optional<std::int64_t> parse_owner_id(const std::string& word) {
  if (word == "root" || word.empty()) return 0;
  const auto id = parse_integer(word);
  return id && *id <= max_id && *id >= -max_id - 1 ? id : std::nullopt;
}

// Where a file that is there must be one that can be read.
sys::UniqueFd open_regular(sys::RootedDir& root, std::string_view path) {
  const auto place = root.follow(path);
  if (!place) return sys::UniqueFd();
  auto file = root.open_file(*place);
  if (!file && root.status(*place)) throw util::Error("open " + std::string(path) + ": not a regular file");
  return file;
}

// Of the first user with that id, whoever was asked for.
std::string home_of(sys::RootedDir& root, std::uint32_t uid) {
  try {
    const auto entry = find_user(open_regular(root, passwd_path), "", uid);
    return entry ? entry->home : "/";
  } catch (const util::Error& error) {
    if (error.cause().code) throw;
    throw StartError("cannot look up the home of the step's user: " + std::string(error.what()));
  }
}

}  // namespace

User resolve_user(sys::RootedDir& root, const std::string& spec) {
  User user;
  if (spec.empty()) {
    try {
      user = look_up(root, "0");
    } catch (const StartError&) {
      throw;
    } catch (const util::Error&) {}  // nobody asked for a name
  } else {
    user = look_up(root, spec);
  }
  if (std::find(user.groups.begin(), user.groups.end(), user.gid) == user.groups.end())
    user.groups.insert(user.groups.begin(), user.gid);
  user.home = home_of(root, user.uid);
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
    owner = {owner_id(*id), owner_id(*id)};
  } else {
    if (const auto entry = find_user(open_regular(root, passwd_path), words.user, std::nullopt))
      owner = {owner_id(entry->uid), owner_id(entry->gid)};
  }
  if (!words.group || words.group->empty()) return owner;
  if (const auto id = parse_owner_id(*words.group)) {
    owner.gid = owner_id(*id);
  } else {
    if (const auto group = find_group(open_regular(root, group_path), *words.group, std::nullopt))
      owner.gid = owner_id(group->gid);
  }
  return owner;
}

}  // namespace sandbox
