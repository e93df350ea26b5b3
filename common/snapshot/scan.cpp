// A walk over a plain directory.
#include "common/snapshot/scan.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "common/sys/rooted_dir.hpp"
#include "common/sys/tree_copy.hpp"

namespace snapshot {
namespace {

using Answer = Census::Answer;

class Count {
public:
  Count(const std::filesystem::path& root, const sys::Cancellation& cancel)
      : root_(sys::RootedDir::open(root)), cancel_(cancel) {}

  Census run() {
    directory({});
    census_.close();
    return std::move(census_);
  }

private:
  void directory(const sys::RootedPath& path) {
    std::vector<std::string> directories;  // later: a walk goes on where it is
    for (auto& name : root_.list(path)) {
      cancel_.check();
      const auto entry = path.child(name);
      const auto status = root_.status(entry);
      if (!status) continue;
      census_.add(entry.str(), *status);
      if (S_ISDIR(status->st_mode)) directories.push_back(std::move(name));
    }
    for (const auto& name : directories)
      directory(path.child(name));
  }

  sys::RootedDir root_;
  const sys::Cancellation& cancel_;
  Census census_;
};

class Collection {
public:
  Collection(const std::filesystem::path& root, const Census& before, const layer::ChangeSet& below,
             const std::filesystem::path& change, const sys::Cancellation& cancel)
      : root_(sys::RootedDir::open(root)),
        before_(before),
        below_(below),
        change_(sys::RootedDir::open(change)),
        copy_(root_, change_, cancel),
        cancel_(cancel) {}

  Census run() {
    const sys::RootedPath root;
    if (const auto status = root_.status(root)) copy_.entry(root, *status);
    made_.push_back({root, true});
    directory(root, Answer::changed);
    change_.settle();
    after_.close();
    return std::move(after_);
  }

private:
  struct Above {
    sys::RootedPath path;
    bool is_made;  // in the change
  };
  struct Entry {
    std::string name;
    struct stat status;
  };

  // `what` has become of the directory itself.
  void directory(const sys::RootedPath& path, Answer what) {
    auto names = root_.list(path);
    std::sort(names.begin(), names.end());
    if (what != Answer::unchanged) hide_missing(path, names, what);
    std::vector<Entry> directories;
    for (auto& name : names) {
      cancel_.check();
      const auto entry = path.child(name);
      const auto status = root_.status(entry);
      if (!status) continue;
      after_.add(entry.str(), *status);
      if (S_ISDIR(status->st_mode)) {
        directories.push_back({std::move(name), *status});
      } else if (what == Answer::replaced || before_.ask(entry.str(), *status) != Answer::unchanged) {
        take(entry, *status);
      }
    }
    for (const auto& [name, status] : directories)
      enter(path.child(name), status, what);
  }

  void enter(const sys::RootedPath& path, const struct stat& status, Answer above) {
    const auto what = above == Answer::replaced ? above : before_.ask(path.str(), status);
    made_.push_back({path, false});
    if (what != Answer::unchanged) make_above();
    directory(path, what);
    made_.pop_back();
  }

  void take(const sys::RootedPath& path, const struct stat& status) {
    if (layer::is_whiteout(status))
      return;  // no layer can hold that device, and an overlay lets nobody make it
    make_above();
    copy_.entry(path, status);
  }

  // The directories that the walk is in.
  void make_above() {
    for (auto& above : made_) {
      if (above.is_made) continue;
      if (const auto status = root_.status(above.path)) copy_.entry(above.path, *status);
      above.is_made = true;
    }
  }

  // `names` are those that are there, in order. A device of a lower tree that nobody could make here never
  // was there, and is not gone now.
  void hide_missing(const sys::RootedPath& path, const std::vector<std::string>& names, Answer what) {
    const auto status = below_.status(path.str());
    if (!status || !S_ISDIR(status->st_mode)) return;
    for (const auto& name : below_.list(path.str())) {
      if (std::binary_search(names.begin(), names.end(), name)) continue;
      const auto missing = path.child(name);
      if (what == Answer::changed && !before_.has(missing.str())) continue;
      make_above();
      change_.make_whiteout(missing);
    }
  }

  sys::RootedDir root_;
  const Census& before_;
  const layer::ChangeSet& below_;
  sys::RootedDir change_;
  sys::TreeCopy copy_;
  const sys::Cancellation& cancel_;
  std::vector<Above> made_;  // the directories that the walk is in, the root first
  Census after_;
};

}  // namespace

Census take_census(const std::filesystem::path& root, const sys::Cancellation& cancel) {
  return Count(root, cancel).run();
}

Census collect_changes(const std::filesystem::path& root, const Census& before, const layer::ChangeSet& below,
                       const std::filesystem::path& change, const sys::Cancellation& cancel) {
  return Collection(root, before, below, change, cancel).run();
}

}  // namespace snapshot
