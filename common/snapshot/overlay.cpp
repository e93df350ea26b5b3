// Snapshots by overlayfs: the change of a step is what the kernel put into the upper directory.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>

#include "common/snapshot/late_unmount.hpp"
#include "common/snapshot/snapshotter.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/disk_use.hpp"
#include "common/sys/fd.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/proc.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace snapshot {
namespace {

namespace fs = std::filesystem;

// Mount options must fit one page: that many "/proc/self/fd/NNNN:" do, with room to spare.
constexpr std::size_t max_lower = 190;

void unmount(const fs::path& target) {
  if (::umount2(target.c_str(), UMOUNT_NOFOLLOW) != 0 &&
      ::umount2(target.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
    util::throw_errno("cannot unmount " + util::quote(target.string()));
  }
}

// A mounted overlay. Directories are named by descriptor in the options: such names are short, need no
// escaping of ":" and cannot be swapped.
class Mount {
public:
  Mount(const std::vector<fs::path>& lower, const fs::path& upper, const fs::path& work, fs::path target,
        const std::string& extra_options)
      : target_(std::move(target)) {
    std::vector<sys::UniqueFd> handles;
    const auto name_of = [&handles](const fs::path& path) {
      handles.emplace_back(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      if (!handles.back()) util::throw_errno("cannot open " + util::quote(path.string()));
      return sys::link_of(handles.back().get());
    };
    std::string options = "lowerdir=";
    for (auto tree = lower.rbegin(); tree != lower.rend(); ++tree) {  // overlayfs wants the topmost first
      options += (tree == lower.rbegin() ? "" : ":") + name_of(*tree);
    }
    if (!upper.empty()) options += ",upperdir=" + name_of(upper) + ",workdir=" + name_of(work);
    options += extra_options;
    if (::mount("overlay", target_.c_str(), "overlay", upper.empty() ? MS_RDONLY : 0, options.c_str()) != 0)
      fail(handles, errno);
    mounted_ = true;
  }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  ~Mount() {
    if (!mounted_) return;
    // A build that was told to end waits for nothing.
    if (sys::cancelling_signal() != 0 && unmount_after_end(target_)) return;
    ::umount2(target_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  }

  // A remount of the filesystem holds for each mount of it, those of steps that have ended too. Not where a
  // sandbox knows no such call: what reads trees never relies on that they rest.
  void freeze() const {
    if (::mount(nullptr, target_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0) return;
    if (errno == EBUSY)
      util::throw_errno("somebody else still writes to files of the step, which were handed on to him");
    util::log::debug("a tree is not frozen: " + std::string(std::strerror(errno)));
  }

  void release() {
    unmount(target_);
    mounted_ = false;
  }

private:
  // Says what the trees were, the topmost first: their names in the options say nothing.
  [[noreturn]] void fail(const std::vector<sys::UniqueFd>& trees, int error) const {
    constexpr std::size_t most = 12;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < std::min(trees.size(), most); ++i) {
      std::array<char, 4096> name{};
      const auto size = ::readlink(sys::link_of(trees[i].get()).c_str(), name.data(), name.size());
      names.push_back(util::quote({name.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))}));
    }
    util::throw_errno("cannot mount an overlay of " + util::join(names, ", ") +
                          (trees.size() > most ? " and others" : "") + " on " + util::quote(target_.string()),
                      error);
  }

  fs::path target_;
  bool mounted_ = false;
};

class OverlayWorkspace : public Workspace {
public:
  enum class Form { read_only, writable, mounted };  // the last one also where there is nothing below

  OverlayWorkspace(const fs::path& parent, const Stack& stack, Form form, const std::string& extra_options)
      : directory_(parent, "work-") {
    const fs::path base = directory_.path();
    const bool writable = form != Form::read_only;
    if (writable) {
      sys::make_directory(base / "upper", 0755);
      sys::make_directory(base / "work", 0700);
    }
    sys::make_directory(base / "root", 0755);
    auto trees = group(stack.trees, extra_options);
    if (form == Form::mounted && trees.empty()) {
      trees.push_back(base / "lower");
      sys::make_directory(trees.back(), 0755);
    }
    if (!writable && trees.size() == 1) {
      root_ = trees.front();
    } else if (trees.empty()) {
      root_ = writable ? base / "upper" : base / "root";
    } else {
      root_ = base / "root";
      if (writable) copy_owner(trees.back(), base / "upper");
      mounts_.push_back(std::make_unique<Mount>(trees, writable ? base / "upper" : "",
                                                writable ? base / "work" : "", root_, extra_options));
    }
  }

  ~OverlayWorkspace() override {
    while (!mounts_.empty())
      mounts_.pop_back();
  }

  const fs::path& root() const override { return root_; }

  std::uint64_t written(const sys::Cancellation& cancel) const override {
    return sys::disk_use(directory_.path() / "upper", cancel);
  }

  void freeze() override { mounts_.back()->freeze(); }

  void commit(const fs::path& tree) override {
    for (; !mounts_.empty(); mounts_.pop_back())
      mounts_.back()->release();
    if (::rename((directory_.path() / "upper").c_str(), tree.c_str()) != 0) {
      util::throw_errno("cannot keep a snapshot as " + util::quote(tree.string()));
    }
  }

private:
  // Of a stack that is too high for one mount the lower part becomes a read-only overlay of its own, and the
  // lowest tree of the other. Only the lowest: a whiteout is not seen through a mount.
  std::vector<fs::path> group(std::vector<fs::path> trees, const std::string& extra_options) {
    if (trees.size() <= max_lower) return trees;
    if (trees.size() > 2 * max_lower - 1) {  // the kernel stacks overlays no higher than two
      throw util::Error("a stage of more than " + std::to_string(2 * max_lower - 1) +
                        " steps that change files is too long; join some of them");
    }
    const auto middle = trees.begin() + max_lower;
    const auto target = directory_.path() / "lower";
    sys::make_directory(target, 0755);
    mounts_.push_back(
        std::make_unique<Mount>(std::vector(trees.begin(), middle), "", "", target, extra_options));
    trees.erase(trees.begin(), middle);
    trees.insert(trees.begin(), target);
    return trees;
  }

  // The merged root directory shows the upper one's metadata. As in containerd, which BuildKit's steps see,
  // its owner lasts from step to step, its mode and time do not.
  static void copy_owner(const fs::path& from, const fs::path& to) {
    struct stat status;
    if (::stat(from.c_str(), &status) != 0) util::throw_errno("cannot look at " + util::quote(from.string()));
    if (::chown(to.c_str(), status.st_uid, status.st_gid) != 0)
      util::throw_errno("cannot set the owner of " + util::quote(to.string()));
  }

  sys::TempDir directory_;
  std::vector<std::unique_ptr<Mount>> mounts_;  // later ones stand on earlier ones
  fs::path root_;
};

class OverlaySnapshotter : public Snapshotter {
  using Form = OverlayWorkspace::Form;

public:
  OverlaySnapshotter(fs::path directory, Probe when) : directory_(std::move(directory)) {
    if (when == Probe::now) std::call_once(probed_, [this] { probe(); });
  }

  const fs::path& directory() const override { return directory_; }

  std::unique_ptr<Workspace> open(const Stack& lower, Writers writers) override {
    const auto form = writers == Writers::steps ? Form::mounted : Form::writable;
    if (!lower.trees.empty() || form == Form::mounted) std::call_once(probed_, [this] { probe(); });
    return std::make_unique<OverlayWorkspace>(directory_, lower, form, extra_options_);
  }

  std::unique_ptr<Workspace> open_passing(const Stack& stack) override {
    return open(stack, Writers::engine);
  }

  std::unique_ptr<Workspace> open_read_only(const Stack& stack) override {
    if (stack.trees.size() > 1) std::call_once(probed_, [this] { probe(); });
    return std::make_unique<OverlayWorkspace>(directory_, stack, Form::read_only, extra_options_);
  }

private:
  // Finds by doing what this kernel takes. A renamed lower directory must be a whole directory in the change,
  // a changed mode a whole file, whatever the machine's defaults; but naming redirect_dir or metacopy is for
  // the machine's own root. Inside a user namespace marks are user.* attributes, and both are off. "volatile"
  // (5.10) spares the syncs of data that nobody needs after a crash.
  void probe() {
    const sys::TempDir trial(directory_, "probe-");
    const auto lower = trial.path() / "lower";
    sys::make_directory(lower, 0755);
    sys::make_directory(lower / "directory", 0755);
    std::optional<util::Error> failure;
    for (const std::string marks :
         {",redirect_dir=nofollow,metacopy=off,index=off", ",userxattr,index=off"}) {
      for (const std::string syncs : {",volatile", ""}) {
        extra_options_ = marks + syncs;
        try {
          const OverlayWorkspace workspace(directory_, {{lower}}, Form::writable, extra_options_);
          // Mounting may work where marking a directory opaque does not; removing a lower directory needs
          // both.
          sys::remove_tree(workspace.root() / "directory");
          sys::make_directory(workspace.root() / "directory", 0755);
          return;
        } catch (const util::Error& error) {
          failure = error;
        }
        util::log::debug("overlay" + extra_options_ + ": " + failure->what());
      }
    }
    throw util::Error(
        "no overlay filesystem works in " + util::quote(directory_.string()) + ": " + failure->what(),
        failure->cause());
  }

  fs::path directory_;
  std::once_flag probed_;
  std::string extra_options_;
};

}  // namespace

std::unique_ptr<Snapshotter> make_overlay(const fs::path& directory, Probe when) {
  return std::make_unique<OverlaySnapshotter>(directory, when);
}

}  // namespace snapshot
