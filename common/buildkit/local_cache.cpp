// BuildKit's local cache is an OCI layout whose index names one manifest per tag; the manifest's config is
// the cache's own record of what was built from what, its layers are the images' (cache/remotecache/local).
#include "common/buildkit/local_cache.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "common/buildkit/buildctl.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/csv.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace buildkit {
namespace {

constexpr auto link_name = "buildkit";
constexpr auto fresh_prefix = "buildkit.";
constexpr auto index_name = "index.json";
constexpr auto blobs_name = "blobs/sha256";
constexpr auto tag_annotation = "org.opencontainers.image.ref.name";
constexpr auto stock_tag = "latest";
constexpr std::uint64_t most_index_bytes = 64 << 20;
constexpr auto digest_prefix = "sha256:";

std::string tag_of(std::size_t target) {
  return "target-" + std::to_string(target);
}

struct Entry {
  std::string tag;
  std::string digest;
};

// The caches in the index of `layout`. Throws Error.
std::vector<Entry> read_index(const std::filesystem::path& layout) {
  const auto path = layout / index_name;
  const auto what = util::quote(path.string());
  const auto document = util::parse_json(sys::read_file(path, most_index_bytes, sys::Readable::entry), what);
  std::vector<Entry> entries;
  for (const auto& manifest : util::JsonFields(document, what).objects("manifests")) {
    const auto annotations = manifest.optional_object("annotations");
    entries.push_back({.tag = annotations ? annotations->optional_string(tag_annotation).value_or("") : "",
                       .digest = manifest.string("digest")});
  }
  return entries;
}

std::filesystem::path blob_path(const std::filesystem::path& layout, const std::string& digest) {
  if (!digest.starts_with(digest_prefix) || digest.find('/') != std::string::npos) {
    throw util::Error("unexpected digest " + util::quote(digest) + " in " + util::quote(layout.string()));
  }
  return layout / blobs_name / digest.substr(std::string_view(digest_prefix).size());
}

// What lies at a place, not followed; 0 if nothing does.
mode_t kind_at(const std::filesystem::path& path) {
  const auto status = sys::find_status(path, sys::Links::kept);
  return status ? status->st_mode : 0;
}

void require_kind(const std::filesystem::path& path, mode_t kind) {
  const auto mode = kind_at(path);
  if (mode == 0) throw util::Error(util::quote(path.string()) + " is missing");
  if ((mode & S_IFMT) == kind) return;
  throw util::Error(util::quote(path.string()) + " is " + std::string(sys::kind_of_file(mode)) + ", not " +
                    std::string(sys::kind_of_file(kind)));
}

// Throws Error unless buildctl, which opens and follows whatever it finds, may be sent there.
void require_sound(const std::filesystem::path& layout) {
  require_kind(layout / index_name, S_IFREG);
  for (const auto& entry : sys::entries_of(layout)) {
    if (S_ISDIR(kind_at(entry))) continue;
    // In the task's directory itself our own link may lie beside a stock cache.
    if (entry.filename() != link_name) require_kind(entry, S_IFREG);
  }
  require_kind(layout / "blobs", S_IFDIR);
  require_kind(layout / blobs_name, S_IFDIR);
  for (const auto& entry : sys::entries_of(layout / blobs_name))
    require_kind(entry, S_IFREG);
}

// The directory that holds the current cache; nothing if there is none. Throws Error for one that is damaged.
std::optional<std::filesystem::path> find_layout(const std::filesystem::path& directory) {
  const auto link = directory / link_name;
  if (const auto mode = kind_at(link)) {
    if (!S_ISLNK(mode)) require_kind(link, S_IFLNK);
    const auto name = sys::link_target(link).string();
    if (!name.starts_with(fresh_prefix) || name.find('/') != std::string::npos)
      throw util::Error(util::quote(link.string()) + " leads to " + util::quote(name) +
                        ", which is none of ours");
    require_kind(directory / name, S_IFDIR);
    // The link's target, not the link: it will name the fresh cache while this one is still being removed.
    return sys::resolved_path(directory) / name;
  }
  if (!kind_at(directory / index_name)) return std::nullopt;
  return sys::resolved_path(directory);
}

}  // namespace

LocalCache::LocalCache(const std::filesystem::path& directory, const document::Output& output,
                       std::size_t targets)
    : directory_(directory), compression_(compression_attributes(output)), targets_(targets) {
  try {
    if (const auto layout = find_layout(directory_)) {
      require_sound(*layout);
      for (const auto& entry : read_index(*layout))
        current_tags_.push_back(entry.tag.empty() ? stock_tag : entry.tag);
      current_ = layout;
    }
  } catch (const util::Error& error) {
    damage_ = error.what();  // as good as none, and replaced by this build
    current_tags_.clear();
  }
  try {
    open_fresh();
  } catch (const util::Error& error) {
    why_read_only_ = error.what();
  }
}

void LocalCache::open_fresh() {
  lock_ = sys::UniqueFd(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock_) util::throw_errno("cannot open " + util::quote(directory_.string()));
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) util::throw_errno("cannot lock " + util::quote(directory_.string()));
    throw util::Error("another build is using " + util::quote(directory_.string()));
  }
  remove_all_but_current();
  fresh_.emplace(directory_, fresh_prefix);
  link_blobs();
}

// What builds that were killed left behind. A stock cache stays until commit().
void LocalCache::remove_all_but_current() const {
  for (const auto& entry : sys::entries_of(directory_)) {
    const auto name = entry.filename().string();
    if (!name.starts_with(fresh_prefix)) continue;
    if (!current_ || current_->filename() != name) sys::remove_tree(entry);
  }
}

void LocalCache::link_blobs() {
  const auto blobs = fresh_->path() / blobs_name;
  // Where this is not possible BuildKit writes the blob again, or says what is wrong.
  if (::mkdir(blobs.parent_path().c_str(), 0755) != 0 || ::mkdir(blobs.c_str(), 0755) != 0) return;
  if (!current_) return;
  for (const auto& entry : sys::readable_entries_of(*current_ / blobs_name))
    std::ignore = ::link(entry.c_str(), (blobs / entry.filename()).c_str());
}

std::vector<std::string> LocalCache::imports() const {
  std::vector<std::string> records;
  for (const auto& tag : current_tags_)
    records.push_back(util::csv_record({"type=local", "src=" + current_->string(), "tag=" + tag}));
  return records;
}

std::vector<std::string> LocalCache::exports(std::size_t target) const {
  if (!fresh_) return {};
  std::vector<std::string> fields = {"type=local", "dest=" + fresh_->path().string(), "mode=max",
                                     "tag=" + tag_of(target)};
  // A cache that cannot be written is no reason to lose the image: commit() sees that the tag is missing.
  fields.push_back("ignore-error=true");
  fields.insert(fields.end(), compression_.begin(), compression_.end());
  return {util::csv_record(fields)};
}

void LocalCache::drop_unused_blobs() const {
  std::set<std::filesystem::path> used;
  std::set<std::string> tags;
  for (const auto& [tag, digest] : read_index(fresh_->path())) {
    const auto path = blob_path(fresh_->path(), digest);
    const auto what = "cache manifest " + util::quote(digest);
    const auto document = util::parse_json(sys::read_file(path), what);
    const util::JsonFields manifest(document, what);
    tags.insert(tag);
    used.insert(path);
    used.insert(blob_path(fresh_->path(), manifest.object("config").string("digest")));
    for (const auto& layer : manifest.objects("layers"))
      used.insert(blob_path(fresh_->path(), layer.string("digest")));
  }
  for (std::size_t target = 0; target < targets_; ++target) {
    if (!tags.contains(tag_of(target))) throw util::Error("BuildKit did not write the cache");
  }
  for (const auto& entry : sys::entries_of(fresh_->path() / blobs_name)) {
    if (!used.contains(entry)) sys::remove_tree(entry);
  }
  sys::remove_tree(fresh_->path() / "ingest");  // where buildctl's content store kept partial blobs
}

void LocalCache::commit() {
  if (!fresh_) return;
  drop_unused_blobs();
  const auto name = fresh_->path().filename();
  const auto next = directory_ / (name.string() + ".link");
  if (::symlink(name.c_str(), next.c_str()) != 0)
    util::throw_errno("cannot create " + util::quote(next.string()));
  const auto link = directory_ / link_name;
  if (S_ISDIR(kind_at(link))) sys::remove_tree(link);
  if (::rename(next.c_str(), link.c_str()) != 0) {
    const int reason = errno;
    ::unlink(next.c_str());
    util::throw_errno("cannot replace the cache in " + util::quote(directory_.string()), reason);
  }
  current_ = fresh_->release();
  fresh_.reset();
  remove_all_but_current();
  for (const auto* stock : {"index.json", "index.json.lock", "oci-layout", "blobs", "ingest"})
    sys::remove_tree(directory_ / stock);
}

}  // namespace buildkit
