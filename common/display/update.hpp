// What is told of a build while it runs, in the terms of BuildKit's client (client.SolveStatus).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace display {

using Time = std::chrono::system_clock::time_point;

// A piece of work. It is told again with each change, whole; it may begin anew after its end.
struct Vertex {
  std::string digest;                    // its name for machines
  std::vector<std::string> inputs = {};  // the digests of what it needs
  std::string name = {};                 // its name for people: "[build 2/4] RUN make"
  std::optional<Time> started = {};
  std::optional<Time> completed = {};
  bool cached = false;
  std::string error = {};
};

// How far a part of it is: a download, or words about the work.
struct Status {
  std::string id;  // "sha256:...", "transferring context:"
  std::string vertex;
  std::uint64_t current = 0;  // bytes
  std::uint64_t total = 0;    // 0 = not known
  std::optional<Time> started = {};
  std::optional<Time> completed = {};
};

// Output of the work, in pieces that need not end where lines do.
struct Log {
  std::string vertex;
  std::string data;
  Time timestamp;
};

struct Warning {
  std::string vertex;
  std::string text;
};

struct Update {
  std::vector<Vertex> vertexes = {};
  std::vector<Status> statuses = {};
  std::vector<Log> logs = {};
  std::vector<Warning> warnings = {};
};

// One line of JSON without a newline, as buildctl and buildx write it with --progress=rawjson. What is no
// UTF-8 in names is replaced.
std::string to_json(const Update& update);

// The other way; fields that are not known are passed over. Nothing for what is no such line. Where several
// vertexes are one to people (a progress group) it is the group that is given.
std::optional<Update> parse_update(std::string_view json);

}  // namespace display
