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

#include "common/buildkit/buildctl.hpp"
#include "common/buildkit/csv.hpp"
#include "common/sys/file.hpp"
#include "common/sys/remove_tree.hpp"
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

// What lies at a place, not followed; nothing if nothing does.
std::optional<mode_t> kind_at(const std::filesystem::path& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    util::throw_errno("cannot open " + util::quote(path.string()));
  }
  return status.st_mode;
}

void require_kind(const std::filesystem::path& path, mode_t kind) {
  const auto mode = kind_at(path).value_or(0);
  if (mode == 0) throw util::Error(util::quote(path.string()) + " is missing");
  if ((mode & S_IFMT) == kind) return;
  throw util::Error(util::quote(path.string()) + " is " + std::string(sys::kind_of_file(mode)) + ", not " +
                    std::string(sys::kind_of_file(kind)));
}

// Throws Error unless buildctl, which opens and follows whatever it finds, may be sent there.
void require_sound(const std::filesystem::path& layout) {
  require_kind(layout / index_name, S_IFREG);
  for (const auto& entry : std::filesystem::directory_iterator(layout)) {
    if (!entry.is_symlink() && entry.is_directory()) continue;
    // In the task's directory itself our own link may lie beside a stock cache.
    if (entry.path().filename() != link_name) require_kind(entry.path(), S_IFREG);
  }
  require_kind(layout / "blobs", S_IFDIR);
  require_kind(layout / blobs_name, S_IFDIR);
  for (const auto& entry : std::filesystem::directory_iterator(layout / blobs_name))
    require_kind(entry.path(), S_IFREG);
}

// The directory that holds the current cache; nothing if there is none. Throws Error for one that is damaged.
std::optional<std::filesystem::path> find_layout(const std::filesystem::path& directory) {
  const auto link = directory / link_name;
  if (const auto mode = kind_at(link)) {
    if (!S_ISLNK(*mode)) require_kind(link, S_IFLNK);
    const auto name = std::filesystem::read_symlink(link).string();
    if (!name.starts_with(fresh_prefix) || name.find('/') != std::string::npos)
      throw util::Error(util::quote(link.string()) + " leads to " + util::quote(name) +
                        ", which is none of ours");
    require_kind(directory / name, S_IFDIR);
    // The link's target, not the link: it will name the fresh cache while this one is still being removed.
    return std::filesystem::canonical(directory) / name;
  }
  if (!kind_at(directory / index_name)) return std::nullopt;
  return std::filesystem::canonical(directory);
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
  } catch (const std::exception& error) {  // the filesystem library has exceptions of its own
    damage_ = error.what();                // as good as none, and replaced by this build
    current_tags_.clear();
  }
  try {
    open_fresh();
  } catch (const std::exception& error) {
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
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(fresh_prefix)) continue;
    if (!current_ || current_->filename() != name) sys::remove_tree(entry.path());
  }
}

void LocalCache::link_blobs() {
  std::error_code error;
  const auto blobs = fresh_->path() / blobs_name;
  std::filesystem::create_directories(blobs, error);
  if (!current_ || error) return;
  for (std::filesystem::directory_iterator entry(*current_ / blobs_name, error), end; !error && entry != end;
       entry.increment(error)) {
    // Where hard links are not possible BuildKit writes the blob again.
    std::error_code ignored;
    std::filesystem::create_hard_link(entry->path(), blobs / entry->path().filename(), ignored);
  }
}

std::vector<std::string> LocalCache::imports() const {
  std::vector<std::string> records;
  for (const auto& tag : current_tags_)
    records.push_back(csv_record({"type=local", "src=" + current_->string(), "tag=" + tag}));
  return records;
}

std::vector<std::string> LocalCache::exports(std::size_t target) const {
  if (!fresh_) return {};
  std::vector<std::string> fields = {"type=local", "dest=" + fresh_->path().string(), "mode=max",
                                     "tag=" + tag_of(target)};
  // A cache that cannot be written is no reason to lose the image: commit() sees that the tag is missing.
  fields.push_back("ignore-error=true");
  fields.insert(fields.end(), compression_.begin(), compression_.end());
  return {csv_record(fields)};
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
  for (const auto& entry : std::filesystem::directory_iterator(fresh_->path() / blobs_name)) {
    if (!used.contains(entry.path())) sys::remove_tree(entry.path());
  }
  sys::remove_tree(fresh_->path() / "ingest");  // where buildctl's content store kept partial blobs
}

void LocalCache::commit() {
  if (!fresh_) return;
  drop_unused_blobs();
  const auto name = fresh_->path().filename();
  const auto next = directory_ / (name.string() + ".link");
  std::error_code error;
  std::filesystem::create_directory_symlink(name, next, error);
  if (error) util::throw_errno("cannot create " + util::quote(next.string()), error.value());
  const auto link = directory_ / link_name;
  if (const auto mode = kind_at(link); mode && S_ISDIR(*mode)) sys::remove_tree(link);
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
