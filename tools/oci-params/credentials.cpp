// Secrets are only ever named here, by variable or by file: their values reach neither document nor message.
#include "tools/oci-params/credentials.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"
#include "tools/oci-params/files.hpp"
#include "tools/oci-params/values.hpp"

namespace params {
namespace {

namespace fs = std::filesystem;

// The limit is BuildKit's own; it would fail in the middle of the build, and without the file's name.
constexpr std::uintmax_t largest_secret = 500 * 1024;

constexpr std::string_view key_start = "-----BEGIN ";

std::string too_large(std::uintmax_t size) {
  return "holds " + util::human_size(size) + ", but a secret has at most " + util::human_size(largest_secret);
}

document::Secret read_secret_file(const Environment& environment, const Member& member) {
  const auto given = environment.value(member.variable);
  const auto path = find_own_file(environment, member.variable, *given);
  // What is no file may be the secret itself.
  if (!is_present(path)) {
    throw util::Error(member.variable +
                      ": the value is not the path of a file that exists; name one, or give the " +
                      "secret itself as BUILDKIT_SECRETTEXT_" + member.name);
  }
  require_file(member.variable, path);
  const auto status = util::with_context(member.variable, [&] { return sys::find_status(path); });
  const auto size = status ? static_cast<std::uint64_t>(status->st_size) : 0;
  if (size > largest_secret) {
    throw util::Error(member.variable + ": " + util::quote(*given) + " " + too_large(size));
  }
  return {member.name, std::nullopt, path};
}

bool is_present_socket(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

void check_paths(const document::Ssh& ssh) {
  const std::string parameter = "BUILDKIT_SSH";
  std::size_t sockets = 0;
  for (const auto& path : ssh.paths) {
    if (is_present_socket(path)) {
      ++sockets;
    } else {
      require_file(parameter, path);
    }
  }
  const auto id = util::quote(ssh.id);
  if (sockets > 0 && ssh.paths.size() > 1) {
    throw util::Error(parameter + ": " + id +
                      " mixes an agent's socket with others; give it the socket alone");
  }
  if (ssh.raw && sockets != 1) {
    throw util::Error(parameter + ": " + id + " is raw, which needs exactly one path, a socket");
  }
}

// Starts a new entry for an id, or adds a path to the last one: "a=x,y,b=z" is a with x and y, and b with z.
std::vector<document::Ssh> parse_entries(const Environment& environment, const std::string& text) {
  std::vector<document::Ssh> entries;
  bool takes_paths = false;
  for (const auto& piece : split_list(text, ",")) {
    const auto equals = piece.find('=');
    const auto head = piece.substr(0, equals);
    const auto tail = equals == std::string::npos ? std::string() : piece.substr(equals + 1);
    if (takes_paths && equals == std::string::npos) {
      entries.back().paths.emplace_back(piece);
    } else if (takes_paths && head == "raw") {
      const auto raw = read_boolean(Environment({{"BUILDKIT_SSH: raw", tail}}), "BUILDKIT_SSH: raw");
      entries.back().raw = raw.value_or(false);
    } else {
      takes_paths = !tail.empty();
      entries.push_back(
          {.id = head.empty() ? "default" : head, .env = std::nullopt, .paths = {}, .raw = false});
      if (takes_paths) entries.back().paths.emplace_back(tail);
    }
  }
  for (const auto& entry : entries) {
    if (entry.paths.empty() && !environment.value("SSH_AUTH_SOCK")) {
      throw util::Error("BUILDKIT_SSH: " + util::quote(entry.id) +
                        " names no key and SSH_AUTH_SOCK is not set; write " + util::escape(entry.id) +
                        "=PATH");
    }
    check_paths(entry);
  }
  return entries;
}

}  // namespace

std::vector<document::Secret> read_secrets(const Environment& environment, Findings& findings) {
  std::vector<document::Secret> secrets;
  std::set<std::string> ids;
  findings.check([&] {
    for (const auto& member : environment.family("BUILDKIT_SECRET_")) {
      if (!environment.is_set(member.variable)) continue;
      ids.insert(member.name);
      findings.check([&] { secrets.push_back(read_secret_file(environment, member)); });
    }
  });
  findings.check([&] {
    for (const auto& member : environment.family("BUILDKIT_SECRETTEXT_")) {
      findings.check([&] {
        if (ids.contains(member.name)) {
          throw util::Error("BUILDKIT_SECRET_" + member.name + " and " + member.variable +
                            " give the same secret; set one of the two");
        }
        secrets.push_back({member.name, member.variable, std::nullopt});
      });
    }
  });
  return secrets;
}

std::vector<document::Ssh> read_ssh(const Environment& environment, Findings& findings) {
  std::vector<document::Ssh> keys;
  std::set<std::string> ids;
  const auto add = [&](document::Ssh key) {
    if (!ids.insert(key.id).second) {
      throw util::Error("BUILDKIT_SSH: the id " + util::quote(key.id) + " is given twice; keep one");
    }
    keys.push_back(std::move(key));
  };
  findings.check([&] {
    const auto value = environment.value("BUILDKIT_SSH").value_or("");
    if (value.find(key_start) != std::string::npos) {
      throw util::Error("BUILDKIT_SSH: the value is the text of a key; give it as BUILDKIT_SSHTEXT_default");
    }
    for (const auto& text : split_list(value, ";\n")) {
      findings.check([&] {
        for (auto& entry : parse_entries(environment, text))
          add(std::move(entry));
      });
    }
  });
  findings.check([&] {
    for (const auto& member : environment.family("BUILDKIT_SSHTEXT_")) {
      if (!environment.is_set(member.variable)) continue;
      findings.check([&] {
        if (member.value.find(key_start) == std::string::npos) {
          throw util::Error(
              member.variable +
              ": the value is no private key; it must be the text of one, with its line breaks");
        }
        add({.id = member.name, .env = member.variable, .paths = {}, .raw = false});
      });
    }
  });
  return keys;
}

std::optional<fs::path> read_docker_config(const Environment& environment) {
  const std::string parameter = "DOCKER_CONFIG";
  const auto value = environment.value(parameter);
  if (!value) return std::nullopt;
  if (value->starts_with('{')) {
    throw util::Error(parameter +
                      ": the value is the text of a configuration; write it to DIRECTORY/config.json " +
                      "in an earlier task and name that directory");
  }
  const fs::path directory = *value;
  require_existing(parameter, directory);
  if (!sys::leads_to_directory(directory)) {
    const auto parent = directory.parent_path();
    throw util::Error(
        parameter + ": " + util::quote(*value) + " is a file; name the directory that holds config.json" +
        (directory.filename() == "config.json" ? ", " + util::quote(parent.empty() ? "." : parent.string())
                                               : std::string()));
  }
  const auto file = directory / "config.json";
  if (is_present(file)) {
    require_file(parameter, file);
    util::with_context(parameter,
                       [&] { util::parse_json(sys::read_file(file), util::quote(file.string())); });
  }
  return directory;
}

}  // namespace params
