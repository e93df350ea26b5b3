// An image config while a Dockerfile changes it, and the exact bytes it becomes.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/image/descriptor.hpp"
#include "common/util/date.hpp"

namespace plan {

struct Healthcheck {
  std::vector<std::string> test;
  std::chrono::nanoseconds interval{0};
  std::chrono::nanoseconds timeout{0};
  std::chrono::nanoseconds start_period{0};
  std::chrono::nanoseconds start_interval{0};
  std::int64_t retries = 0;
};

// The fields of the OCI image config and of Docker's extension of it, which other builders know and keep.
struct ImageConfig {
  std::string author;
  image::Platform platform;
  std::string os_version;
  std::vector<std::string> os_features;

  std::string user;
  std::set<std::string> exposed_ports;
  std::vector<std::string> env;
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::set<std::string> volumes;
  std::string working_dir;
  std::map<std::string, std::string> labels;
  std::string stop_signal;
  bool args_escaped = false;
  std::optional<Healthcheck> healthcheck;
  std::vector<std::string> on_build;
  std::vector<std::string> shell;

  // FROM scratch: PATH and the working directory "/".
  static ImageConfig scratch(const image::Platform& platform);
  // Of a base image; `what` names it in errors. PATH is added where there is none; the platform is as it
  // stands there. Throws util::Error.
  static ImageConfig parse(std::string_view json, const std::string& what);

  // Gives the image the platform that was asked for, as far as the base does not say more of it.
  void set_platform(const image::Platform& asked);
  // The names that others know the platform by; without an os it is linux's.
  void normalize_platform();
};

// One entry of "history".
struct HistoryRecord {
  std::optional<util::Date> created = std::nullopt;
  std::string created_by = {};
  std::string author = {};
  std::string comment = {};
  bool empty_layer = false;

  friend bool operator==(const HistoryRecord&, const HistoryRecord&) = default;
};

// The history of a base image's config. Throws util::Error.
std::vector<HistoryRecord> parse_history(std::string_view json, const std::string& what);

// The whole document as BuildKit writes it: top-level keys sorted, those of "config" in the order of Docker's
// struct, empty ones left out, Go's escapes. "created" is that of the last entry that has one, else null.
std::string to_json(const ImageConfig& config, const std::vector<HistoryRecord>& history,
                    const std::vector<hash::Digest>& diff_ids);

}  // namespace plan
