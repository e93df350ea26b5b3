// Platforms and their order, media types.
#include "common/image/descriptor.hpp"

#include <sys/utsname.h>

#include <algorithm>

#include "common/util/characters.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace image {
namespace {

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lowered;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> known) {
  return std::find(known.begin(), known.end(), text) != known.end();
}

bool is_known_os(std::string_view os) {
  return is_one_of(os, {"linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "wasip1", "android"});
}

bool is_known_architecture(std::string_view architecture) {
  return is_one_of(architecture, {"386", "amd64", "arm", "arm64", "loong64", "mips", "mipsle", "mips64",
                                  "mips64le", "ppc64", "ppc64le", "riscv64", "s390x", "wasm"});
}

bool is_component(std::string_view text) {
  const auto allowed = [](char c) { return util::is_alnum(c) || c == '_' || c == '.' || c == '-'; };
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

// The number n of a variant "vn" or "vn.m", 0 if it is none.
int variant_number(std::string_view variant) {
  if (variant.size() < 2 || variant[0] != 'v' || variant[1] < '0' || variant[1] > '9') return 0;
  return variant[1] - '0';
}

}  // namespace

Platform Platform::from_fields(std::string_view os, std::string_view architecture, std::string_view variant) {
  Platform platform{lower(os), lower(architecture), lower(variant)};
  auto& arch = platform.architecture;
  auto& version = platform.variant;
  if (platform.os == "macos") platform.os = "darwin";
  if (arch == "i386") {
    arch = "386";
    version.clear();
  } else if (is_one_of(arch, {"x86_64", "x86-64", "amd64"})) {
    arch = "amd64";
    if (version == "v1") version.clear();
  } else if (is_one_of(arch, {"aarch64", "arm64"})) {
    arch = "arm64";
    if (is_one_of(version, {"8", "v8", "v8.0"})) version.clear();
    if (is_one_of(version, {"9", "9.0", "v9.0"})) version = "v9";
  } else if (arch == "armhf") {
    arch = "arm";
    version = "v7";
  } else if (arch == "armel") {
    arch = "arm";
    version = "v6";
  } else if (arch == "arm") {
    if (is_one_of(version, {"", "7"})) version = "v7";
    if (is_one_of(version, {"5", "6", "8"})) version = "v" + version;
  }
  return platform;
}

Platform Platform::parse(std::string_view text) {
  const auto parts = util::split(text, '/');
  if (parts.size() > 3 || !std::all_of(parts.begin(), parts.end(), is_component)) {
    throw util::Error("invalid platform " + util::quote(text) + ": expected something like 'linux/arm64'");
  }
  if (parts.size() > 1) return from_fields(parts[0], parts[1], parts.size() > 2 ? parts[2] : "");
  const auto as_os = from_fields(parts[0], "", "").os;
  if (is_known_os(as_os)) {
    auto platform = host();
    platform.os = as_os;
    return platform;
  }
  const auto as_architecture = from_fields(host().os, parts[0], "");
  if (!is_known_architecture(as_architecture.architecture)) {
    throw util::Error("unknown platform " + util::quote(text) + ": expected something like 'linux/arm64'");
  }
  return as_architecture;
}

Platform Platform::host() {
  struct utsname name = {};
  if (::uname(&name) != 0) util::throw_errno("cannot tell the machine's architecture");
  const std::string machine = name.machine;
  if (machine.starts_with("armv")) return from_fields("linux", "arm", machine.substr(4, 1));
  if (machine.size() == 4 && machine[0] == 'i' && machine.ends_with("86"))
    return from_fields("linux", "386", "");
  if (machine == "loongarch64") return from_fields("linux", "loong64", "");
  return from_fields("linux", machine, "");
}

std::string Platform::str() const {
  if (os.empty() && architecture.empty()) return "unknown";
  return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

std::vector<Platform> Platform::runnable() const {
  std::vector<Platform> platforms = {*this};
  const auto add = [&](std::string_view arch, const std::string& version) {
    platforms.push_back(from_fields(os, arch, version));
  };
  if (architecture == "amd64") {
    for (int version = variant_number(variant) - 1; version >= 1; --version)
      add("amd64", "v" + std::to_string(version));
    add("386", "");
  } else if (architecture == "arm") {
    for (int version = variant_number(variant) - 1; version >= 5; --version)
      add("arm", "v" + std::to_string(version));
  } else if (architecture == "arm64") {
    if (variant_number(variant) >= 9 && variant != "v9") add("arm64", "v9");
    if (!variant.empty()) add("arm64", "");
    for (int version = 8; version >= 5; --version)
      add("arm", "v" + std::to_string(version));
  }
  return platforms;
}

bool Descriptor::is_attestation() const {
  if (annotations.contains(annotation::reference_type)) return true;
  return platform && platform->os == "unknown" && platform->architecture == "unknown";
}

std::string blob_name(const hash::Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}

namespace media_type {

bool is_index(std::string_view type) {
  return type == oci_index || type == docker_manifest_list;
}

bool is_manifest(std::string_view type) {
  return type == oci_manifest || type == docker_manifest;
}

}  // namespace media_type
}  // namespace image
