// RUN --mount: its options, and what they come to.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace dockerfile {

enum class MountType { bind, cache, tmpfs, secret, ssh };
enum class Sharing { shared, private_, locked };

std::string_view name(MountType type);

// One --mount as written. Options may hold variables, so they are judged once those are known; only the
// source must be known before.
struct MountFlag {
  std::string options;  // comma-separated, as in a CSV line
  std::string from;     // stage, image or named context; empty: none given
  std::string target;   // as written, variables not expanded
};

struct Mount {
  MountType type = MountType::bind;
  std::string from;
  std::string source;
  std::string target;
  bool read_only = true;
  std::int64_t size_limit = 0;  // of a tmpfs, in bytes; 0 = none
  std::string id;
  std::optional<Sharing> sharing;  // of a cache; nothing means shared
  bool required = false;           // of secret and ssh
  std::optional<std::string> env;  // the variable that gets a secret; may be empty
  std::optional<std::uint32_t> mode;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;

  friend bool operator==(const Mount&, const Mount&) = default;
};

// Throws SyntaxError if `options` is no CSV line or if `from` holds a variable.
MountFlag parse_mount_flag(const std::string& options);

// The mount that the options describe, every value passed through `expand`. Throws SyntaxError for what is
// unknown, malformed or not fitting the type.
Mount parse_mount(const std::string& options, const std::function<std::string(const std::string&)>& expand);

// Fills in what depends on the working directory and on other options: absolute targets of bind, cache and
// tmpfs, a cache's id, a secret's id and target, an ssh mount's id. A secret that is only a variable keeps an
// empty target, an ssh mount without one too. Throws SyntaxError for a target "/" and a secret or ssh mount
// that cannot be.
Mount resolve_mount(Mount mount, std::string_view working_dir);

}  // namespace dockerfile
