// What a tree holds, over what lies there.
#include "common/snapshot/apply_tree.hpp"

#include <memory>

#include "common/layer/change_set.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/sys/tree_copy.hpp"

namespace snapshot {
namespace {

// One tree put over another.
class Application {
public:
  Application(const std::filesystem::path& from, const std::filesystem::path& to,
              const sys::Cancellation& cancel)
      : changes_(layer::directory_changes(from)),
        from_(sys::RootedDir::open(from)),
        to_(sys::RootedDir::open(to)),
        copy_(from_, to_, cancel) {}

  void run() {
    const sys::RootedPath root;
    const auto status = from_.status(root);
    if (status) copy_.entry(root, *status);
    directory(root);
    to_.settle();
  }

private:
  void directory(const sys::RootedPath& path) {
    for (const auto& name : changes_->list(path.str()))
      entry(path.child(name));
  }

  void entry(const sys::RootedPath& path) {
    const auto status = changes_->status(path.str());
    if (!status) return;
    if (layer::is_whiteout(*status)) return to_.remove(path);
    const auto present = to_.status(path);
    const bool is_directory = S_ISDIR(status->st_mode);
    if (present && !(is_directory && S_ISDIR(present->st_mode) && !changes_->is_opaque(path.str())))
      to_.remove(path);
    copy_.entry(path, *status);
    if (is_directory) directory(path);
  }

  std::unique_ptr<layer::ChangeSet> changes_;
  sys::RootedDir from_;
  sys::RootedDir to_;
  sys::TreeCopy copy_;
};

}  // namespace

void apply_tree(const std::filesystem::path& from, const std::filesystem::path& to,
                const sys::Cancellation& cancel) {
  Application(from, to, cancel).run();
}

}  // namespace snapshot
