// The operations a build consists of. A Graph of them is immutable once made; ops name their inputs by index.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/dockerfile/instruction.hpp"
#include "common/dockerfile/mount.hpp"
#include "common/hash/checksum.hpp"
#include "common/hash/digest.hpp"
#include "common/image/descriptor.hpp"

namespace plan {

// Index into Graph::ops. Inputs of an op have smaller ids than the op.
using OpId = std::size_t;

// The empty filesystem.
struct Scratch {
  friend bool operator==(const Scratch&, const Scratch&) = default;
};

// The filesystem of an image.
struct Pull {
  std::string reference;  // in full: "docker.io/library/debian:12"
  image::Platform platform;

  friend bool operator==(const Pull&, const Pull&) = default;
};

// Files of the build context or of a plain directory given as a named context.
struct Local {
  std::string name;  // "context", or the named context's
  std::filesystem::path directory;
  std::filesystem::path dockerfile;  // whose own ignore file counts; empty for named contexts

  friend bool operator==(const Local&, const Local&) = default;
};

// A build context out of a git repository or a URL. It is there before the plan is, as its Dockerfile lies in
// it.
struct Fetched {
  std::filesystem::path directory;  // with its files
  hash::Digest identity;            // what names all of them
  std::string commit;               // that they are of; empty = they are of none

  friend bool operator==(const Fetched&, const Fetched&) = default;
};

// A file whose content stands in the Dockerfile, alone in a filesystem.
struct MakeFile {
  std::string name;
  std::string content;

  friend bool operator==(const MakeFile&, const MakeFile&) = default;
};

// A downloaded file (ADD of http and https), alone in a filesystem.
struct Http {
  std::string url;
  std::string file_name;
  std::optional<hash::Checksum> checksum;

  friend bool operator==(const Http&, const Http&) = default;
};

// A git checkout (ADD of a git reference).
struct Git {
  std::string remote;
  std::string ref;           // empty = the remote's HEAD
  std::string subdirectory;  // empty = all
  std::string checksum;      // of the commit, perhaps its beginning; empty = none given
  bool keep_git_dir = false;
  bool submodules = true;
  bool fetch_by_commit = false;  // `checksum` is fetched, whatever the ref is

  friend bool operator==(const Git&, const Git&) = default;
};

// What one COPY or ADD does to `base`.
struct Copy {
  // One source, with what holds for it alone.
  struct Source {
    OpId from;
    std::string path;              // below the root of `from`; may hold wildcards where `wildcards`
    bool wildcards = true;         // and a missing match is no error; symlinks as source are followed
    bool unpack_archives = false;  // what is an archive by content is unpacked

    friend bool operator==(const Source&, const Source&) = default;
  };

  OpId base;
  std::vector<Source> sources;
  std::string destination;  // absolute; a slash at the end says it is a directory
  std::string chown;
  std::string chmod;
  std::vector<std::string> excludes;
  bool parents = false;
  bool link = false;

  friend bool operator==(const Copy&, const Copy&) = default;
};

// WORKDIR: makes a directory and its parents, owned by the stage's user.
struct MakeDirectory {
  OpId base;
  std::string path;  // absolute, clean
  std::string user;

  friend bool operator==(const MakeDirectory&, const MakeDirectory&) = default;
};

struct Run {
  struct Mount {
    dockerfile::Mount options;
    std::optional<OpId> from;  // of bind, and of a cache with content to begin with

    friend bool operator==(const Mount&, const Mount&) = default;
  };

  OpId root;
  std::vector<std::string> arguments;
  std::optional<dockerfile::InlineFile> script;  // at /dev/pipes/NAME, mode 0755
  std::vector<std::string> environment;          // "NAME=value": the image's and ARGs'
  std::string working_dir;  // absolute, as it was written: the kernel follows its symlinks before its ".."
  std::string user;
  std::vector<Mount> mounts;
  dockerfile::Network network = dockerfile::Network::sandbox;
  dockerfile::Security security = dockerfile::Security::sandbox;
  std::string hostname;  // empty = the usual one
  image::Platform platform;

  friend bool operator==(const Run&, const Run&) = default;
};

// Two that are equal do the same to the same: one may stand for the other.
using Action = std::variant<Scratch, Pull, Local, Fetched, MakeFile, Http, Git, Copy, MakeDirectory, Run>;

struct Op {
  Action action;
  std::string title;                   // what progress shows: "[build 2/4] RUN make"
  dockerfile::Location location = {};  // of the instruction it is for; for what all share, no place
  bool ignore_cache = false;
};

// The ops whose results `op` needs, in a fixed order.
std::vector<OpId> inputs(const Op& op);

// What BuildKit calls the change that `op` makes, where nothing else describes the layer.
std::string description(const Op& op);

}  // namespace plan
