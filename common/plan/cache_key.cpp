// The canonical definition of each op.
#include "common/plan/cache_key.hpp"

#include <algorithm>
#include <cassert>

#include "common/plan/key_writer.hpp"

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

bool is_number(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "user:group", either of them a name. A user alone takes its group from /etc/passwd only when it is a name.
bool has_name(std::string_view owner) {
  const auto colon = std::min(owner.find(':'), owner.size());
  return !is_number(owner.substr(0, colon)) || (colon < owner.size() && !is_number(owner.substr(colon + 1)));
}

void put_mount(KeyWriter& key, const Run::Mount& mount) {
  const auto& options = mount.options;
  key.put(dockerfile::name(options.type)).put(options.target).put(options.read_only);
  key.put(options.size_limit).put(options.id);
  key.put(options.sharing.has_value()).put(options.sharing ? static_cast<int>(*options.sharing) : 0);
  key.put(options.required).put(options.env).put(options.mode).put(options.uid).put(options.gid);
  // The path below `from` is part of the selection: another one with the same content is the same.
  key.put(mount.from.has_value());
}

}  // namespace

hash::Digest scratch_key() {
  return KeyWriter("oci-build/key/1/scratch").finish();
}

hash::Digest image_key(const std::vector<hash::Digest>& diff_ids) {
  return KeyWriter("oci-build/key/1/image").put(diff_ids).finish();
}

hash::Digest file_key(const MakeFile& file) {
  return KeyWriter("oci-build/key/1/file").put(file.name).put(file.content).finish();
}

hash::Digest download_key(const Http& http, const hash::Digest& content, std::string_view last_modified) {
  return KeyWriter("oci-build/key/1/download").put(http.file_name).put(content).put(last_modified).finish();
}

hash::Digest checkout_key(const Git& git, std::string_view commit) {
  // With the history in it a checkout shows where it is from.
  return KeyWriter("oci-build/key/1/checkout")
      .put(commit)
      .put(git.subdirectory)
      .put(git.submodules)
      .put(git.keep_git_dir)
      .put(git.keep_git_dir ? git.remote : "")
      .put(git.keep_git_dir ? git.ref : "")
      .finish();
}

bool reads_accounts(const Copy& copy) {
  return has_name(copy.chown);
}

bool reads_accounts(const MakeDirectory& directory) {
  return has_name(directory.user);
}

hash::Digest copy_key(const Copy& copy, const hash::Digest& base, const std::vector<hash::Digest>& selected,
                      const std::optional<hash::Digest>& accounts) {
  assert(selected.size() == copy.sources.size());
  assert(accounts.has_value() == reads_accounts(copy));
  KeyWriter key("oci-build/key/1/copy");
  key.put(copy.link ? scratch_key() : base);
  key.put(copy.destination).put(copy.chown).put(accounts).put(copy.chmod).put(copy.excludes);
  key.put(copy.parents).put(copy.sources.size());
  for (std::size_t i = 0; i < copy.sources.size(); ++i) {
    const auto& source = copy.sources[i];
    key.put(copy.parents ? std::string_view(source.path) : base_name(source.path));
    key.put(source.wildcards).put(source.unpack_archives).put(selected[i]);
  }
  return key.finish();
}

hash::Digest stacked_key(const hash::Digest& base, const hash::Digest& layer) {
  return KeyWriter("oci-build/key/1/stacked").put(base).put(layer).finish();
}

hash::Digest directory_key(const MakeDirectory& directory, const hash::Digest& base,
                           const std::optional<hash::Digest>& accounts, std::optional<std::int64_t> epoch) {
  assert(accounts.has_value() == reads_accounts(directory));
  return KeyWriter("oci-build/key/1/directory")
      .put(base)
      .put(directory.path)
      .put(directory.user)
      .put(accounts)
      .put(epoch)
      .finish();
}

hash::Digest run_key(const Run& run, const hash::Digest& root, const std::vector<hash::Digest>& selected,
                     const std::vector<std::string>& host_names) {
  KeyWriter key("oci-build/key/1/run");
  key.put(root).put(run.arguments).put(run.script.has_value());
  if (run.script) key.put(run.script->name).put(run.script->content);
  key.put(run.environment).put(run.working_dir).put(run.user).put(run.platform.str()).put(run.hostname);
  key.put(static_cast<int>(run.network)).put(static_cast<int>(run.security)).put(host_names);
  key.put(run.mounts.size());
  for (const auto& mount : run.mounts)
    put_mount(key, mount);
  return key.put(selected).finish();
}

}  // namespace plan
