// Real registries and what stands around them, as child processes that end with their owner.
#pragma once

#include <fcntl.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/http/client.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/process.hpp"
#include "common/util/error.hpp"
#include "tests/support/places.hpp"

namespace test {

// Runs a program to its end, or throws with what it printed.
inline std::string run(std::vector<std::string> argv) {
  const auto name = argv.front();
  const auto result = sys::run_captured({.argv = std::move(argv)}, "");
  if (!result.status.success())
    throw util::Error(name + " " + result.status.describe() + ": " + result.output);
  return result.output;
}

// A program that says "listening on HOST:PORT" once it serves.
class Server {
public:
  Server(std::vector<std::string> argv, const std::filesystem::path& log)
      : log_(::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)),
        child_(sys::start({.argv = std::move(argv), .stdout_fd = log_.get(), .stderr_fd = log_.get()})) {
    const std::string_view mark = "listening on ";
    for (int tries = 0; tries < 2000; ++tries) {
      const auto text = sys::read_file(log);
      const auto start = text.find(mark);
      const auto end = start == std::string::npos ? start : text.find_first_of(", \"\n", start + mark.size());
      if (end != std::string::npos) {
        address_ = text.substr(start + mark.size(), end - start - mark.size());
        return;
      }
      if (child_.wait_for(std::chrono::milliseconds(10))) break;
    }
    throw util::Error("a server did not start: " + sys::read_file(log));
  }

  const std::string& address() const { return address_; }  // "127.0.0.1:PORT"
  std::string url(const std::string& path = "") const { return "http://" + address_ + path; }

  // What a control path of a server of ours answers.
  std::string control(const std::string& path, const std::string& posted = "") const {
    http::Client client;
    http::Request request{.url = http::Url::parse(url(path))};
    if (!posted.empty()) {
      request.method = http::Method::post;
      request.form = posted;
    }
    return client.fetch_text(request, 1 << 20).body;
  }

private:
  sys::UniqueFd log_;
  sys::Child child_;
  std::string address_;
};

struct RegistryOptions {
  std::string auth = {};  // the "auth" section as YAML in one line
  std::string tls = {};   // the "tls" section
};

// docker-registry on a free port, serving what lies in `data`.
inline Server start_registry(const std::filesystem::path& directory, const std::string& name,
                             const std::filesystem::path& data, const RegistryOptions& options = {}) {
  ::setenv("OTEL_TRACES_EXPORTER", "none", 1);
  const auto config = directory / (name + ".yml");
  std::ofstream file(config);
  file << "version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: " << data.string()
       << "}}\nhttp:\n  addr: 127.0.0.1:0\n";
  if (!options.tls.empty()) file << "  tls: " << options.tls << "\n";
  if (!options.auth.empty()) file << "auth: " << options.auth << "\n";
  file.close();
  return Server({"docker-registry", "serve", config.string()}, directory / (name + ".log"));
}

struct LoggedRequest {
  std::string method;
  std::string path;
  std::string range;
  std::string authorization;

  std::string line() const { return method + " " + path; }
};

// tests/support/fault-proxy in front of `upstream`.
class FaultProxy : public Server {
public:
  FaultProxy(const std::filesystem::path& directory, const std::string& name, const Server& upstream)
      : Server({test::support_directory() + "/fault-proxy", upstream.url()}, directory / (name + ".log")) {}

  void set_faults(const std::string& json) const { control("/-/faults", json); }

  // Since the last call.
  std::vector<LoggedRequest> requests() const {
    std::vector<LoggedRequest> requests;
    for (const auto& entry : nlohmann::json::parse(control("/-/log"))) {
      requests.push_back({entry["method"], entry["path"], entry["headers"].value("Range", ""),
                          entry["headers"].value("Authorization", "")});
    }
    return requests;
  }
};

}  // namespace test
