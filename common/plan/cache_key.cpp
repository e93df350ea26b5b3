// The canonical definition of each op, part by part.
#include "common/plan/cache_key.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <set>
#include <utility>

#include "common/dockerfile/remote.hpp"
#include "common/plan/key_writer.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/text.hpp"

namespace plan {
namespace {

// The last component, cleaned: where the source lies before it makes no difference, but a file is called so
// in a directory that it goes to.
std::string_view base_name(std::string_view path) {
  while (path.ends_with('/') || path.ends_with("/.")) {
    path.remove_suffix(path.ends_with('/') ? 1 : 2);
  }
  if (path == ".") return "";
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

constexpr std::array<std::pair<KeyPart::Kind, std::string_view>, 9> kinds = {{
    {KeyPart::Kind::kind, "kind"},
    {KeyPart::Kind::base, "base"},
    {KeyPart::Kind::instruction, "instruction"},
    {KeyPart::Kind::option, "option"},
    {KeyPart::Kind::variable, "variable"},
    {KeyPart::Kind::files, "files"},
    {KeyPart::Kind::mount, "mount"},
    {KeyPart::Kind::hosts, "hosts"},
    {KeyPart::Kind::epoch, "epoch"},
}};

// Changes with whatever a key is made of.
constexpr auto part_format = "oci-build/key/2/part";

class PartList {
public:
  explicit PartList(std::string_view kind) { add(KeyPart::Kind::kind, std::string(kind), ""); }

  template <typename Value>
  void add(KeyPart::Kind kind, std::string name, const Value& value) {
    parts_.push_back({kind, std::move(name), KeyWriter(part_format).put(value).finish()});
  }
  void add_digest(KeyPart::Kind kind, std::string name, const hash::Digest& value) {
    parts_.push_back({kind, std::move(name), value});
  }
  void add(KeyPart::Kind kind, std::string name, KeyWriter&& value) {
    parts_.push_back({kind, std::move(name), value.finish()});
  }

  KeyParts take() { return std::move(parts_); }

private:
  KeyParts parts_;
};

void add_mount(PartList& parts, const Run::Mount& mount) {
  const auto& options = mount.options;
  KeyWriter key(part_format);
  key.put(dockerfile::name(options.type)).put(options.target).put(options.read_only);
  key.put(options.size_limit).put(options.id);
  key.put(options.sharing.has_value()).put(options.sharing ? static_cast<int>(*options.sharing) : 0);
  key.put(options.required).put(options.env).put(options.mode).put(options.uid).put(options.gid);
  // The path below `from` is part of the selection: another one with the same content is the same.
  key.put(mount.from.has_value());
  parts.add(KeyPart::Kind::mount, util::escape(options.target, options.target.size()), std::move(key));
}

void add_files(PartList& parts, const std::vector<hash::Digest>& selected) {
  for (std::size_t i = 0; i < selected.size(); ++i)
    parts.add_digest(KeyPart::Kind::files, std::to_string(i), selected[i]);
}

// "[build 2/4] RUN make" without and with its instruction.
std::string_view place_of(std::string_view title) {
  return title.substr(0, title.find('/'));
}
std::string_view instruction_of(std::string_view title) {
  const auto end = title.find("] ");
  return end == std::string_view::npos ? title : title.substr(end + 2);
}

}  // namespace

std::string_view to_string(KeyPart::Kind kind) noexcept {
  for (const auto& [known, name] : kinds) {
    if (known == kind) return name;
  }
  return {};
}

std::optional<KeyPart::Kind> key_part_kind(std::string_view text) noexcept {
  for (const auto& [kind, name] : kinds) {
    if (name == text) return kind;
  }
  return std::nullopt;
}

hash::Digest key_of(const KeyParts& parts) {
  KeyWriter key("oci-build/key/2/step");
  for (const auto& part : parts)
    key.put(to_string(part.kind)).put(part.name).put(part.value);
  return key.finish();
}

KeyParts copy_key(const Copy& copy, const hash::Digest& base, const std::vector<hash::Digest>& selected) {
  assert(selected.size() == copy.sources.size());
  PartList parts("copy");
  if (!copy.link) parts.add_digest(KeyPart::Kind::base, "", base);
  KeyWriter instruction(part_format);
  instruction.put(copy.destination).put(copy.chown).put(copy.chmod).put(copy.excludes).put(copy.parents);
  instruction.put(copy.link).put(copy.sources.size());
  for (const auto& source : copy.sources) {
    instruction.put(copy.parents ? std::string_view(source.path) : base_name(source.path));
    instruction.put(source.wildcards).put(source.unpack_archives);
  }
  parts.add(KeyPart::Kind::instruction, "", std::move(instruction));
  add_files(parts, selected);
  return parts.take();
}

KeyParts directory_key(const MakeDirectory& directory, const hash::Digest& base,
                       std::optional<std::int64_t> epoch) {
  PartList parts("directory");
  parts.add_digest(KeyPart::Kind::base, "", base);
  parts.add(KeyPart::Kind::instruction, "", directory.path);
  parts.add(KeyPart::Kind::option, "user", directory.user);
  parts.add(KeyPart::Kind::epoch, "", epoch);
  return parts.take();
}

KeyParts variant_key(const hash::Digest& diff_id, std::string_view compression,
                     std::optional<std::int64_t> newest_mtime) {
  PartList parts("variant");
  parts.add_digest(KeyPart::Kind::base, "", diff_id);
  parts.add(KeyPart::Kind::option, "compression", compression);
  parts.add(KeyPart::Kind::epoch, "", newest_mtime);
  return parts.take();
}

KeyParts run_key(const Run& run, const hash::Digest& base, const std::vector<hash::Digest>& selected,
                 const std::vector<std::string>& host_names) {
  PartList parts("run");
  parts.add_digest(KeyPart::Kind::base, "", base);
  KeyWriter instruction(part_format);
  instruction.put(run.arguments).put(run.script.has_value());
  if (run.script) instruction.put(run.script->name).put(run.script->content);
  parts.add(KeyPart::Kind::instruction, "", std::move(instruction));
  for (const auto& variable : run.environment) {
    const auto equals = std::min(variable.find('='), variable.size());
    parts.add(KeyPart::Kind::variable, util::escape(variable.substr(0, equals), equals),
              variable.substr(equals));
  }
  parts.add(KeyPart::Kind::option, "working directory", run.working_dir);
  parts.add(KeyPart::Kind::option, "user", run.user);
  parts.add(KeyPart::Kind::option, "platform", run.platform.str());
  parts.add(KeyPart::Kind::option, "host name", run.hostname);
  parts.add(KeyPart::Kind::option, "network", static_cast<int>(run.network));
  parts.add(KeyPart::Kind::option, "security mode", static_cast<int>(run.security));
  parts.add(KeyPart::Kind::hosts, "", host_names);
  for (const auto& host : std::set<std::string>(host_names.begin(), host_names.end()))
    parts.add(KeyPart::Kind::hosts, util::escape(host, host.size()), "");
  for (const auto& mount : run.mounts)
    add_mount(parts, mount);
  add_files(parts, selected);
  return parts.take();
}

hash::Digest file_identity(const MakeFile& file) {
  return KeyWriter("oci-build/key/2/file").put(file.name).put(file.content).finish();
}

hash::Digest download_identity(const Http& http, std::string_view checksum) {
  return KeyWriter("oci-build/key/2/download").put(http.file_name).put(checksum).finish();
}

hash::Digest unpacked_identity(const hash::Digest& download) {
  return KeyWriter("oci-build/key/2/unpacked").put(download).finish();
}

hash::Digest checkout_identity(const Git& git, std::string_view ref, std::string_view commit) {
  KeyWriter key("oci-build/key/2/checkout");
  key.put(commit).put(git.submodules);
  const bool keeps = git.keep_git_dir && sys::clean_path(git.subdirectory).empty();
  key.put(keeps);
  if (keeps) key.put(dockerfile::without_login(git.remote)).put(ref).put(git.fetch_by_commit);
  return key.finish();
}

hash::Digest repository_identity(const Git& git, std::string_view ref, std::string_view commit) {
  return KeyWriter("oci-build/key/2/repository")
      .put(checkout_identity(git, ref, commit))
      .put(sys::clean_path(git.subdirectory))
      .finish();
}

hash::Digest selection_identity(const hash::Digest& from, const Copy& copy, const Copy::Source& source) {
  return KeyWriter("oci-build/key/2/selection")
      .put(from)
      .put(source.path)
      .put(source.wildcards)
      .put(copy.parents)
      .put(copy.excludes)
      .finish();
}

hash::Digest selection_identity(const hash::Digest& from, const std::string& path) {
  return KeyWriter("oci-build/key/2/mounted").put(from).put(path).finish();
}

hash::Digest place_identity(std::string_view dockerfile, const Op& op) {
  return KeyWriter("oci-build/key/2/place").put(dockerfile).put(place_of(op.title)).finish();
}

hash::Digest instruction_identity(const Op& op) {
  return KeyWriter("oci-build/key/2/instruction").put(instruction_of(op.title)).finish();
}

}  // namespace plan
