// Snapshots without mounts: a plain directory for each stage, changed in place.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "common/snapshot/apply_tree.hpp"
#include "common/snapshot/links.hpp"
#include "common/snapshot/scan.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/sys/disk_use.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace snapshot {
namespace {

namespace fs = std::filesystem;

// Images of busybox have hundreds of names for a program.
constexpr std::uint64_t most_parted = 256 << 20;

bool is_later(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

// A directory that holds what a stack of trees shows.
struct Live {
  explicit Live(const fs::path& parent) : directory(parent, "live-") {}

  fs::path root() const { return directory.path() / "root"; }

  sys::TempDir directory;
  std::vector<fs::path> trees = {};  // that it shows
  std::optional<Census> census = {};
  std::vector<PartedFile> parted = {};  // for steps
  std::size_t readers = 0;
  bool is_written = false;  // somebody works in it
};

// The directories of all stages. Thread-safe.
class LiveTrees {
public:
  explicit LiveTrees(fs::path directory) : directory_(std::move(directory)) {}

  const fs::path& directory() const { return directory_; }

  // For one writer: that which lies there, else a copy of what shows the most of the stack.
  std::shared_ptr<Live> take(const Stack& stack, const sys::Cancellation& cancel) {
    auto live = find_idle(stack);
    if (!live) live = make();
    complete(*live, stack, cancel);
    return live;
  }

  // For readers.
  std::shared_ptr<Live> share(const Stack& stack, const sys::Cancellation& cancel) {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& live : trees_) {
        if (live->is_written || live->trees != stack.trees) continue;
        if (!live->parted.empty()) join(*live);
        ++live->readers;
        return live;
      }
    }
    auto live = make();
    complete(*live, stack, cancel);
    const std::lock_guard lock(mutex_);
    live->is_written = false;
    ++live->readers;
    return live;
  }

  void give_back(Live& live) {
    const std::lock_guard lock(mutex_);
    if (live.readers > 0) --live.readers;
    live.is_written = false;
  }

  // What it holds nobody knows.
  void discard(const std::shared_ptr<Live>& live) {
    const std::lock_guard lock(mutex_);
    trees_.remove(live);
  }

private:
  std::shared_ptr<Live> make() {
    auto live = std::make_shared<Live>(directory_);
    sys::make_directory(live->root(), 0755);
    live->is_written = true;
    const std::lock_guard lock(mutex_);
    trees_.push_back(live);
    return live;
  }

  std::shared_ptr<Live> find_idle(const Stack& stack) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Live> best;
    for (const auto& live : trees_) {
      if (live->is_written || live->readers > 0 || live->trees.empty() ||
          live->trees.size() > stack.trees.size() || (best && live->trees.size() <= best->trees.size()) ||
          !std::equal(live->trees.begin(), live->trees.end(), stack.trees.begin()))
        continue;
      best = live;
    }
    if (best) best->is_written = true;
    return best;
  }

  // Nobody reads one that is parted.
  static void join(Live& live) {
    live.census.reset();
    join_links(live.root(), std::exchange(live.parted, {}), {});
  }

  void complete(Live& live, const Stack& stack, const sys::Cancellation& cancel) {
    for (auto i = live.trees.size(); i < stack.trees.size(); ++i) {
      live.census.reset();
      apply_tree(stack.trees[i], live.root(), cancel);
      live.trees.push_back(stack.trees[i]);
    }
  }

  fs::path directory_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Live>> trees_;  // guarded by mutex_, with what says who uses each
};

class PlainWorkspace : public Workspace {
public:
  PlainWorkspace(LiveTrees& trees, const Stack& stack) : trees_(trees), live_(trees.take(stack, {})) {
    // Of the root directory the owner lasts from step to step, its mode and time do not.
    if (::chmod(live_->root().c_str(), 0755) != 0 ||
        ::utimensat(AT_FDCWD, live_->root().c_str(), nullptr, 0) != 0)
      util::throw_errno("cannot set mode and time of " + util::quote(live_->root().string()));
    if (!live_->census) live_->census = take_census(live_->root(), {});
    if (live_->census->has_links()) part();
    root_ = live_->root();
    wait_for_next_tick();
  }

  ~PlainWorkspace() override {
    if (live_) trees_.discard(live_);
  }

  const fs::path& root() const override { return root_; }

  std::uint64_t written(const sys::Cancellation& cancel) const override {
    const auto used = sys::disk_use(root_, cancel);
    const auto used_before = live_->census->bytes();
    return used > used_before ? used - used_before : 0;
  }

  // Nobody holds anything of it: what a step leaves behind has ended.
  void freeze() override {}

  void commit(const fs::path& tree) override {
    sys::make_directory(tree, 0755);
    live_->census = collect_changes(root_, *live_->census, *read({live_->trees}), tree, {});
    live_->trees.push_back(tree);
    trees_.give_back(*live_);
    live_.reset();
  }

private:
  void part() {
    auto parted = part_links(live_->root(), most_parted, {});
    if (parted.empty()) return;
    std::move(parted.begin(), parted.end(), std::back_inserter(live_->parted));
    live_->census = take_census(live_->root(), {});
  }

  // From when on a change of a file shows in its ctime.
  void wait_for_next_tick() const {
    for (;;) {
      const sys::TempDir trial(trees_.directory(), "clock-");
      struct stat status;
      if (::stat(trial.path().c_str(), &status) != 0)
        util::throw_errno("cannot look at " + util::quote(trial.path().string()));
      if (is_later(status.st_ctim, live_->census->newest())) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  LiveTrees& trees_;
  std::shared_ptr<Live> live_;  // null once committed
  fs::path root_;
};

// A directory that nobody may write to.
class PlainView : public Workspace {
public:
  PlainView(LiveTrees& trees, const Stack& stack) : trees_(trees) {
    if (stack.trees.size() == 1) {
      root_ = stack.trees.front();
      return;
    }
    live_ = trees.share(stack, {});
    root_ = live_->root();
  }

  ~PlainView() override {
    if (live_) trees_.give_back(*live_);
  }

  const fs::path& root() const override { return root_; }
  std::uint64_t written(const sys::Cancellation&) const override { return 0; }
  void freeze() override {}
  void commit(const fs::path&) override {}

private:
  LiveTrees& trees_;
  std::shared_ptr<Live> live_;
  fs::path root_;
};

class PlainSnapshotter : public Snapshotter {
public:
  explicit PlainSnapshotter(const fs::path& directory) : trees_(directory) {}

  const fs::path& directory() const override { return trees_.directory(); }

  std::unique_ptr<Workspace> open(const Stack& lower, Writers) override {
    return std::make_unique<PlainWorkspace>(trees_, lower);
  }

  // Where nothing is mounted, a step sees a copy of it.
  std::unique_ptr<Workspace> open_passing(const Stack& stack) override { return open_read_only(stack); }

  std::unique_ptr<Workspace> open_read_only(const Stack& stack) override {
    return std::make_unique<PlainView>(trees_, stack);
  }

private:
  LiveTrees trees_;
};

}  // namespace

std::unique_ptr<Snapshotter> make_plain(const fs::path& directory) {
  return std::make_unique<PlainSnapshotter>(directory);
}

}  // namespace snapshot
