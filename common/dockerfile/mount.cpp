// Reading of mount options.
#include "common/dockerfile/mount.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "common/dockerfile/paths.hpp"
#include "common/dockerfile/source.hpp"
#include "common/dockerfile/text.hpp"
#include "common/dockerfile/words.hpp"
#include "common/util/text.hpp"

namespace dockerfile {
namespace {

constexpr std::array<std::string_view, 5> type_names = {"bind", "cache", "tmpfs", "secret", "ssh"};
constexpr std::array<std::string_view, 3> sharing_names = {"shared", "private", "locked"};

template <std::size_t Size>
std::optional<std::size_t> index_of(const std::array<std::string_view, Size>& names, std::string_view name) {
  for (std::size_t i = 0; i < Size; ++i) {
    if (names[i] == name) return i;
  }
  return std::nullopt;
}

template <std::size_t Size>
std::vector<std::string> as_strings(const std::array<std::string_view, Size>& names) {
  return {names.begin(), names.end()};
}

const std::vector<std::string>& option_names() {
  static const std::vector<std::string> names = {
      "type", "from", "source", "target", "readonly",    "id", "sharing", "required",  "size", "mode",
      "uid",  "gid",  "src",    "dst",    "destination", "ro", "rw",      "readwrite", "env"};
  return names;
}

struct Option {
  std::string field;  // as written
  std::string key;    // in lower case
  std::optional<std::string> value;
};

std::vector<Option> split_options(const std::string& options) {
  std::vector<std::string> fields;
  try {
    fields = split_csv(options);
  } catch (const SyntaxError& error) {
    throw SyntaxError(std::string("failed to parse csv mounts: ") + error.what(), options);
  }
  std::vector<Option> split;
  for (auto& field : fields) {
    const auto equals = field.find('=');
    Option option{field, lower(field.substr(0, equals)), std::nullopt};
    if (equals != std::string::npos) option.value = field.substr(equals + 1);
    split.push_back(std::move(option));
  }
  return split;
}

// A number of bytes with an optional unit of 1024: "64m", "1.5GiB", "10 kb".
std::optional<std::int64_t> parse_bytes(std::string_view text) {
  const auto last = text.find_last_of("0123456789. ");
  if (last == std::string_view::npos) return std::nullopt;
  const std::string number(text.substr(0, text[last] == ' ' ? last : last + 1));
  const std::string unit = lower(text.substr(last + 1));
  if (number.empty() || number.find_first_not_of("0123456789.eE+-_") != std::string::npos)
    return std::nullopt;
  char* end = nullptr;
  double size = std::strtod(number.c_str(), &end);
  if (*end != '\0' || size < 0 || std::isinf(size)) return std::nullopt;
  if (!unit.empty() && unit != "b") {
    constexpr std::string_view units = "kmgtp";
    const auto power = units.find(unit.front());
    if (power == std::string_view::npos) return std::nullopt;
    if (unit.size() > 1 && unit.substr(1) != "b" && unit.substr(1) != "ib") return std::nullopt;
    size = std::ldexp(size, 10 * static_cast<int>(power + 1));
  }
  if (size >= 9223372036854775807.0) return std::nullopt;
  return static_cast<std::int64_t>(size);
}

std::uint32_t parse_number(const Option& option, int base) {
  std::uint32_t number = 0;
  const std::string& value = *option.value;
  const auto* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number, base);
  if (value.empty() || error != std::errc() || stop != end) {
    throw SyntaxError("invalid value " + value + " for " + option.key, option.field);
  }
  return number;
}

bool parse_switch(const Option& option) {
  const auto value = util::parse_bool(*option.value);
  if (!value) throw SyntaxError("invalid value for " + option.key + ": " + *option.value, option.field);
  return *value;
}

// Reads options in their order: what one may say depends on the type named before it.
class MountReader {
public:
  Mount take() {
    check();
    return std::move(mount_);
  }

  void read_bare(const Option& option) {
    if (option.key == "readonly" || option.key == "ro") {
      set_read_only(true);
    } else if (option.key == "readwrite" || option.key == "rw") {
      set_read_only(false);
    } else if (option.key == "required") {
      require_type(option, {MountType::secret, MountType::ssh});
      mount_.required = true;
    } else {
      throw SyntaxError("invalid field '" + option.field + "' must be a key=value pair", option.field);
    }
  }

  void read(const Option& option) {
    const std::string& key = option.key;
    const std::string& value = *option.value;
    if (key == "type") {
      mount_.type = parse_type(option);
    } else if (key == "from") {
      mount_.from = value;
    } else if (key == "source" || key == "src") {
      mount_.source = value;
    } else if (key == "target" || key == "dst" || key == "destination") {
      mount_.target = value;
    } else if (key == "readonly" || key == "ro") {
      set_read_only(parse_switch(option));
    } else if (key == "readwrite" || key == "rw") {
      set_read_only(!parse_switch(option));
    } else if (key == "required") {
      require_type(option, {MountType::secret, MountType::ssh});
      mount_.required = parse_switch(option);
    } else if (key == "size") {
      require_type(option, {MountType::tmpfs});
      const auto size = parse_bytes(value);
      if (!size) throw SyntaxError("invalid value for size: " + value, option.field);
      mount_.size_limit = *size;
    } else if (key == "id") {
      mount_.id = value;
    } else if (key == "sharing") {
      mount_.sharing = parse_sharing(option);
    } else if (key == "mode") {
      mount_.mode = parse_number(option, 8);
    } else if (key == "uid") {
      mount_.uid = parse_number(option, 10);
    } else if (key == "gid") {
      mount_.gid = parse_number(option, 10);
    } else if (key == "env") {
      mount_.env = value;
    } else {
      throw SyntaxError(
          "unexpected key '" + key + "' in '" + option.field + "'" + did_you_mean(key, option_names()),
          option.field);
    }
  }

private:
  void set_read_only(bool read_only) { read_only_ = read_only; }

  void require_type(const Option& option, std::initializer_list<MountType> types) const {
    for (const MountType type : types) {
      if (mount_.type == type) return;
    }
    throw SyntaxError(
        "unexpected key '" + option.key + "' for mount type '" + std::string(name(mount_.type)) + "'",
        option.field);
  }

  static MountType parse_type(const Option& option) {
    const auto index = index_of(type_names, lower(*option.value));
    if (!index) {
      throw SyntaxError("unsupported mount type " + in_quotes(*option.value) +
                            did_you_mean(*option.value, as_strings(type_names)),
                        option.field);
    }
    return static_cast<MountType>(*index);
  }

  static Sharing parse_sharing(const Option& option) {
    const auto index = index_of(sharing_names, lower(*option.value));
    if (!index) {
      throw SyntaxError("unsupported sharing value " + in_quotes(*option.value) +
                            did_you_mean(*option.value, as_strings(sharing_names)),
                        option.field);
    }
    return static_cast<Sharing>(*index);
  }

  void check() {
    const std::string type(name(mount_.type));
    const bool may_write = mount_.type == MountType::cache || mount_.type == MountType::tmpfs;
    if (mount_.type == MountType::bind || mount_.type == MountType::tmpfs) {
      const auto refuse = [&](const char* what) {
        throw SyntaxError(std::string(what) + " not allowed for " + in_quotes(type) + " type mounts");
      };
      if (mount_.mode) refuse("mode");
      if (mount_.uid) refuse("uid");
      if (mount_.gid) refuse("gid");
    }
    mount_.read_only = read_only_.value_or(!may_write);
    if (mount_.type == MountType::secret) {
      if (!mount_.from.empty()) throw SyntaxError("secret mount should not have a from");
      if (mount_.sharing) throw SyntaxError("secret mount should not define sharing");
      if (mount_.source.empty() && mount_.target.empty() && mount_.id.empty()) {
        throw SyntaxError("invalid secret mount. one of source, target required");
      }
      if (!mount_.source.empty() && !mount_.id.empty()) throw SyntaxError("both source and id can't be set");
    }
    if (mount_.sharing && mount_.type != MountType::cache) {
      throw SyntaxError("invalid cache sharing set for " + type + " mount");
    }
  }

  Mount mount_;
  std::optional<bool> read_only_;
};

}  // namespace

std::string_view name(MountType type) {
  return type_names[static_cast<std::size_t>(type)];
}

MountFlag parse_mount_flag(const std::string& options) {
  MountFlag flag{options, "", ""};
  for (const auto& option : split_options(options)) {
    if (!option.value) continue;
    if (option.key == "target" || option.key == "dst" || option.key == "destination") {
      flag.target = *option.value;
    }
    if (option.key != "from") continue;
    const auto dollar = option.value->find('$');
    if (dollar != std::string::npos && dollar + 1 != option.value->size()) {
      throw SyntaxError("'from' doesn't support variable expansion, define alias stage instead",
                        option.field);
    }
    flag.from = *option.value;
  }
  return flag;
}

Mount parse_mount(const std::string& options, const std::function<std::string(const std::string&)>& expand) {
  MountReader reader;
  for (auto& option : split_options(options)) {
    if (!option.value) {
      reader.read_bare(option);
      continue;
    }
    option.value = expand(*option.value);
    reader.read(option);
  }
  return reader.take();
}

Mount resolve_mount(Mount mount, std::string_view working_dir) {
  if (mount.type == MountType::secret) {
    if (!mount.source.empty()) mount.id = mount.source;
    if (mount.id.empty()) mount.id = base_name(mount.target);
    if (!mount.env && mount.target.empty()) mount.target = "/run/secrets/" + base_name(mount.id);
    return mount;
  }
  if (mount.type == MountType::ssh) {
    if (!mount.source.empty()) throw SyntaxError("ssh does not support source");
    if (mount.id.empty()) mount.id = "default";
    return mount;
  }
  if (mount.type == MountType::cache && mount.id.empty()) mount.id = clean_path(mount.target);
  if (!mount.target.starts_with('/')) {
    mount.target = join_path("/", std::string(working_dir) + '/' + mount.target);
  }
  if (mount.target == "/") throw SyntaxError("invalid mount target \"/\"", "target");
  return mount;
}

}  // namespace dockerfile
