// The typed instructions of a stage. As parsed, their words stand as written; `StageEvaluator` gives copies
// with every word expanded.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/dockerfile/heredoc.hpp"
#include "common/dockerfile/mount.hpp"
#include "common/dockerfile/source.hpp"
#include "common/dockerfile/statement.hpp"

namespace dockerfile {

// What every instruction keeps of the file.
struct Origin {
  std::string keyword;  // as written
  std::string code;     // the logical line without white space around, heredoc bodies not included
  Location location;
  std::vector<std::string> comments;  // right above it
};

struct Pair {
  std::string name;
  std::string value;
  bool legacy = false;  // "name value" instead of "name=value"

  friend bool operator==(const Pair&, const Pair&) = default;
};

struct Declaration {
  std::string name;
  std::optional<std::string> value;  // the default
  std::string description;           // from a comment "# NAME text" above

  friend bool operator==(const Declaration&, const Declaration&) = default;
};

// A file whose content stands in the Dockerfile.
struct InlineFile {
  std::string name;
  std::string content;
  bool expand = true;  // the content's variables count

  friend bool operator==(const InlineFile&, const InlineFile&) = default;
};

// The words that COPY and ADD share.
struct Transfer {
  std::vector<std::string> sources;      // without the inline files
  std::vector<InlineFile> inline_files;  // copied after all sources, whatever the order on the line
  std::string destination;
  std::string chown;
  std::string chmod;
  bool link = false;
  std::vector<std::string> excludes;
};

struct CommandLine {
  std::vector<std::string> words;  // of the shell form at most one, the whole text
  bool shell_form = true;
  std::vector<Heredoc> heredocs;
};

struct Add {
  Origin origin;
  Transfer transfer;
  std::string checksum;
  std::optional<bool> keep_git_dir;
  std::optional<bool> unpack;
};

struct Arg {
  Origin origin;
  std::vector<Declaration> declarations;
};

struct Cmd {
  Origin origin;
  CommandLine command;
};

struct Copy {
  Origin origin;
  Transfer transfer;
  std::string from;
  bool parents = false;
};

struct Entrypoint {
  Origin origin;
  CommandLine command;
};

struct Env {
  Origin origin;
  std::vector<Pair> pairs;
};

struct Expose {
  Origin origin;
  std::vector<std::string> ports;  // sorted words; expanded: "80/tcp" each
};

struct Healthcheck {
  Origin origin;
  std::vector<std::string> test;  // "NONE" alone, or "CMD" or "CMD-SHELL" and what follows
  std::chrono::nanoseconds interval{0};
  std::chrono::nanoseconds timeout{0};
  std::chrono::nanoseconds start_period{0};
  std::chrono::nanoseconds start_interval{0};
  int retries = 0;
};

struct Label {
  Origin origin;
  std::vector<Pair> pairs;
};

struct Maintainer {
  Origin origin;
  std::string name;
};

struct Onbuild {
  Origin origin;
  std::string trigger;  // a whole instruction, heredoc bodies included
};

enum class Network { sandbox, none, host };
enum class Security { sandbox, insecure };

struct Run {
  Origin origin;
  CommandLine command;
  std::vector<MountFlag> mount_flags;
  std::vector<Mount> mounts;  // only once expanded
  Network network = Network::sandbox;
  Security security = Security::sandbox;
  std::vector<std::string> devices;
};

struct Shell {
  Origin origin;
  std::vector<std::string> words;
};

struct StopSignal {
  Origin origin;
  std::string signal;
};

struct User {
  Origin origin;
  std::string user;
};

struct Volume {
  Origin origin;
  std::vector<std::string> paths;
};

struct Workdir {
  Origin origin;
  std::string path;  // expanded: absolute
};

using Instruction = std::variant<Add, Arg, Cmd, Copy, Entrypoint, Env, Expose, Healthcheck, Label, Maintainer,
                                 Onbuild, Run, Shell, StopSignal, User, Volume, Workdir>;

const Origin& origin(const Instruction& instruction);

// The instruction of a statement that is no FROM. Throws SyntaxError for an unknown keyword and for anything
// its flags and arguments cannot be.
Instruction parse_instruction(const Statement& statement);

// The text behind "NAME " in the first of `comments` that begins so.
std::string description_of(const std::string& name, const std::vector<std::string>& comments);

}  // namespace dockerfile
