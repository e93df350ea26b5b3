// Keys of caches, and what they begin with.
#include "common/solver/cache_mounts.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <utility>

#include "common/dockerfile/paths.hpp"
#include "common/plan/key_writer.hpp"
#include "common/solver/content.hpp"
#include "common/solver/copier.hpp"
#include "common/solver/source_tree.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

using dockerfile::MountType;

std::string source_of(const dockerfile::Mount& options) {
  return dockerfile::join_path("/", options.source);
}

// Mode and owner are for a directory that is made: what comes from elsewhere has its own.
bool is_made(const dockerfile::Mount& options) {
  return source_of(options) == "/" && (options.mode || options.uid || options.gid);
}

store::Sharing sharing_of(const dockerfile::Mount& options) {
  switch (options.sharing.value_or(dockerfile::Sharing::shared)) {
    case dockerfile::Sharing::private_:
      return store::Sharing::private_;
    case dockerfile::Sharing::locked:
      return store::Sharing::locked;
    case dockerfile::Sharing::shared:
      break;
  }
  return store::Sharing::shared;
}

// A cache as it is before a step has used it.
class Beginning {
public:
  // A directory that is made is "/cache" of where the mount comes from, as in BuildKit, so that one that is
  // there already is taken as it is.
  Beginning(const dockerfile::Mount& options, const Filesystem* from, snapshot::Snapshotter& snapshotter,
            const std::string& failure, const sys::Cancellation& cancel)
      : options_(options), cancel_(cancel) {
    const auto source = is_made(options) ? "/cache" : source_of(options);
    if (from != nullptr) open(*from, source, snapshotter);
    if (!status_ && !is_made(options) && source != "/")
      throw util::Error(failure + ": open " + source + ": no such file or directory");
  }

  // Contents, not where they come from: a stage that is built again to the same files begins the same cache.
  hash::Digest key() const {
    plan::KeyWriter key("oci-build/cache-mount/1");
    key.put(options_.id).put(source_of(options_)).put(status_.has_value());
    if (status_) {
      CopyOptions options;
      options.cancel = cancel_;
      key.put(content_of(tree_, {{path_, ""}}, options).digest);
    }
    if (is_made(options_)) key.put(options_.mode).put(options_.uid).put(options_.gid);
    return key.finish();
  }

  void prepare(int directory) const {
    if (!status_)
      return set_owner(directory, options_.uid.value_or(0), options_.gid.value_or(0),
                       options_.mode.value_or(0755) & 0777);
    sys::RootedDir root(sys::UniqueFd(::fcntl(directory, F_DUPFD_CLOEXEC, 0)));
    CopyOptions options;
    options.cancel = cancel_;
    Copier(tree_, *directory_target(root), options).copy(path_, "", "/");
    root.settle();
    set_owner(directory, status_->st_uid, status_->st_gid, status_->st_mode & 07777);
  }

private:
  void open(const Filesystem& from, const std::string& source, snapshot::Snapshotter& snapshotter) {
    if (from.local) {
      tree_ = from.local->tree;
    } else {
      opened_ = snapshotter.open_read_only(from.stack);
      tree_ = root_source(opened_->root());
    }
    path_ = follow(*tree_, source);
    status_ = tree_->status(path_);
    if (status_ && !S_ISDIR(status_->st_mode)) status_.reset();
  }

  void set_owner(int directory, uid_t uid, gid_t gid, mode_t mode) const {
    // A change of owner clears bits of the mode.
    if (::fchown(directory, uid, gid) != 0 || ::fchmod(directory, mode) != 0)
      util::throw_errno("cannot set up the cache mount " + util::quote(options_.id));
  }

  const dockerfile::Mount& options_;
  sys::Cancellation cancel_;
  std::unique_ptr<snapshot::Workspace> opened_;
  std::shared_ptr<SourceTree> tree_;
  std::string path_;
  std::optional<struct stat> status_;  // of the directory that it begins as
};

}  // namespace

CacheMounts::CacheMounts(const plan::Run& run, const Inputs& inputs, snapshot::Snapshotter& snapshotter,
                         store::Store& store, const std::string& failure, engine::Progress::Vertex& vertex,
                         const sys::Cancellation& cancel) {
  // In one order for all steps of all builds: two that lock the same caches must not wait for each other.
  std::map<hash::Digest, std::pair<const plan::Run::Mount*, Beginning>> wanted;
  for (const auto& mount : run.mounts) {
    if (mount.options.type != MountType::cache) continue;
    Beginning beginning(mount.options, mount.from ? &inputs.at(*mount.from) : nullptr, snapshotter, failure,
                        cancel);
    const auto key = beginning.key();
    keys_.emplace(&mount, key);
    wanted.try_emplace(key, &mount, std::move(beginning));
  }
  for (const auto& [key, cache] : wanted) {
    const auto prepare = [&beginning = cache.second](int directory) { beginning.prepare(directory); };
    const auto sharing = sharing_of(cache.first->options);
    const auto on_wait = [&, id = cache.first->options.id] {
      vertex.write("waiting for the cache " + util::quote(id) + ", which another step or build uses\n");
    };
    leases_.emplace(key, store.mounts().lease(key, sharing, prepare, cancel, on_wait));
  }
}

int CacheMounts::directory(const plan::Run::Mount& mount) const {
  return leases_.at(keys_.at(&mount)).directory();
}

std::string CacheMounts::full() const {
  for (const auto& [mount, key] : keys_) {
    if (leases_.at(key).is_full()) return mount->options.id;
  }
  return "";
}

}  // namespace solver
