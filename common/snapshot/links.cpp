// Copies beside the tree, moved into it, and links back.
#include "common/snapshot/links.hpp"

#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>

#include "common/sys/disk_use.hpp"
#include "common/sys/temp_dir.hpp"
#include "common/sys/tree_copy.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace snapshot {
namespace {

// The files of several names.
class Links {
public:
  Links(sys::RootedDir& root, const sys::Cancellation& cancel) : root_(root), cancel_(cancel) {
    directory({});
  }

  const std::vector<std::vector<sys::RootedPath>>& files() const { return files_; }
  // That the names beside the first of each would take.
  std::uint64_t bytes() const { return bytes_; }

private:
  void directory(const sys::RootedPath& path) {
    std::vector<sys::RootedPath> directories;
    for (const auto& name : root_.list(path)) {
      cancel_.check();
      auto entry = path.child(name);
      const auto status = root_.status(entry);
      if (!status) continue;
      if (S_ISDIR(status->st_mode)) {
        directories.push_back(std::move(entry));
      } else if (status->st_nlink > 1) {
        add(std::move(entry), *status);
      }
    }
    for (const auto& next : directories)
      directory(next);
  }

  void add(sys::RootedPath path, const struct stat& status) {
    const auto [place, is_new] = places_.try_emplace(status.st_ino, files_.size());
    if (is_new) {
      files_.emplace_back();
    } else {
      bytes_ += sys::bytes_on_disk(status);
    }
    files_[place->second].push_back(std::move(path));
  }

  sys::RootedDir& root_;
  const sys::Cancellation& cancel_;
  std::unordered_map<ino_t, std::size_t> places_;  // in files_
  std::vector<std::vector<sys::RootedPath>> files_;
  std::uint64_t bytes_ = 0;
};

PartedFile note(sys::RootedDir& root, const std::vector<sys::RootedPath>& names) {
  PartedFile parted;
  for (const auto& path : names) {
    if (const auto status = root.status(path)) parted.push_back({path, status->st_ino, status->st_ctim});
  }
  return parted;
}

bool is_untouched(sys::RootedDir& root, const PartedName& name) {
  const auto place = root.find(name.path.str());
  if (!place || *place != name.path) return false;
  const auto status = root.status(name.path);
  return status && status->st_ino == name.inode && status->st_ctim.tv_sec == name.changed.tv_sec &&
         status->st_ctim.tv_nsec == name.changed.tv_nsec;
}

}  // namespace

std::vector<PartedFile> part_links(const std::filesystem::path& root, std::uint64_t most_bytes,
                                   const sys::Cancellation& cancel) {
  auto from = sys::RootedDir::open(root);
  const Links links(from, cancel);
  if (links.bytes() > most_bytes) {
    util::log::debug("files of several names stay so: parted they would take " +
                     util::human_size(links.bytes()));
    return {};
  }
  const sys::TempDir aside(root.parent_path(), "parted-");
  auto to = sys::RootedDir::open(root);
  for (const auto& names : links.files()) {
    for (std::size_t i = 1; i < names.size(); ++i) {
      auto copies = sys::RootedDir::open(aside.path());
      const auto copy = *copies.find("copy");
      const auto status = from.status(names[i]);
      if (status) sys::TreeCopy(from, copies, cancel).entry_as(names[i], copy, *status);
      to.remove(names[i]);
      to.move(names[i], copies, copy);
    }
  }
  to.settle();
  std::vector<PartedFile> parted;
  for (const auto& names : links.files())
    parted.push_back(note(from, names));
  return parted;
}

void join_links(const std::filesystem::path& root, const std::vector<PartedFile>& files,
                const sys::Cancellation& cancel) {
  auto tree = sys::RootedDir::open(root);
  for (const auto& names : files) {
    cancel.check();
    std::vector<sys::RootedPath> untouched;  // all of them found before a link touches the first
    for (const auto& name : names) {
      if (is_untouched(tree, name)) untouched.push_back(name.path);
    }
    for (std::size_t i = 1; i < untouched.size(); ++i) {
      tree.remove(untouched[i]);
      tree.make_hard_link(untouched[i], untouched.front());
    }
  }
  tree.settle();
}

}  // namespace snapshot
