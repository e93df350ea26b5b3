// By renames where there is something already, so that it comes back as it was.
#include "common/sandbox/stand_ins.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <functional>
#include <optional>

#include "common/sandbox/cache_entries.hpp"
#include "common/sandbox/copy_tree.hpp"
#include "common/sandbox/lending.hpp"
#include "common/sandbox/mount_points.hpp"
#include "common/sandbox/step_parts.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/proc.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace sandbox {
namespace {

using Times = sys::RootedDir::Times;

void put_empty_file(sys::RootedDir& root, const sys::RootedPath& path) {
  root.create_file(path);
  root.set_mode(path, 0666);
}

void put_directory(sys::RootedDir& root, const sys::RootedPath& path, mode_t mode) {
  root.make_directory(path);
  root.set_mode(path, mode);
}

void fill_dev(sys::RootedDir& root, const sys::RootedPath& dev) {
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"})
    put_empty_file(root, dev.child(name));
  put_directory(root, dev.child("shm"), 01777);
  put_directory(root, dev.child("mqueue"), 01777);
  const auto terminals = dev.child("pts");
  put_directory(root, terminals, 0755);
  put_empty_file(root, terminals.child("ptmx"));
  root.make_symlink(dev.child("ptmx"), "pts/ptmx");
  root.make_symlink(dev.child("fd"), "/proc/self/fd");
  root.make_symlink(dev.child("stdin"), "/proc/self/fd/0");
  root.make_symlink(dev.child("stdout"), "/proc/self/fd/1");
  root.make_symlink(dev.child("stderr"), "/proc/self/fd/2");
}

std::string source_of(const BindMount& bind) {
  return "the source of " + util::quote(bind.target);
}

sys::UniqueFd opened_source(const BindMount& bind) {
  sys::UniqueFd source(bind.place < 0 ? ::open(bind.source.c_str(), O_PATH | O_CLOEXEC)
                                      : ::fcntl(bind.place, F_DUPFD_CLOEXEC, 3));
  if (!source) util::throw_errno("cannot open " + source_of(bind));
  return source;
}

struct stat status_of(int source, const BindMount& bind) {
  struct stat status;
  if (::fstat(source, &status) != 0) util::throw_errno("cannot look at " + source_of(bind));
  return status;
}

sys::UniqueFd copy_of(int fd) {
  sys::UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) util::throw_errno("cannot copy a descriptor");
  return copy;
}

}  // namespace

StandIns::StandIns(const std::filesystem::path& root, const std::filesystem::path& aside)
    : root_(root), aside_(aside) {}

void StandIns::put_back_quietly() noexcept {
  try {
    put_back();
  } catch (const util::Error& error) {
    util::log::warning(error.what());
  }
}

void StandIns::put_system() {
  put_system_directory("proc", "proc");
  put_system_directory("dev", "tmpfs");
  put_system_directory("sys", "sysfs");
  auto root = sys::RootedDir::open(root_);
  fill_dev(root, sys::RootedPath().child("dev"));
  const auto borrower = sys::RootedPath().child("sys").child(".s");
  sys::write_all(root.create_file(borrower).get(), borrower_program(), "a file of the step");
  root.set_mode(borrower, 0755);
  root.settle();
}

// One that was not there stays, as BuildKit leaves it.
void StandIns::put_system_directory(const std::string& name, const std::string& type) {
  const auto path = sys::RootedPath().child(name);
  {
    auto root = sys::RootedDir::open(root_, Times::natural);
    const auto status = root.status(path);
    if (!status) put_directory(root, path, 0755);
    if (status && !S_ISDIR(status->st_mode))
      throw StartError("cannot mount '/" + name + "' for the step: filesystem \"" + type +
                       "\" must be mounted on ordinary directory");
  }
  auto place = cover(path);
  put_directory(place.root, path, 0755);
  place.root.settle();
}

void StandIns::put_mounts(const Spec& spec) {
  lock_caches(spec);
  put_file({.target = "/etc/resolv.conf", .content = resolv_conf_file(spec), .mode = 0644});
  put_file({.target = "/etc/hosts", .content = hosts_file(spec), .mode = 0644});
  struct Mount {
    std::string target;
    std::function<void()> put;
  };
  std::vector<Mount> mounts;
  for (const auto& bind : spec.binds)
    mounts.push_back({bind.target, [&] { put_bind(bind, spec.cancel); }});
  for (const auto& tmpfs : spec.tmpfs)
    mounts.push_back({tmpfs.target, [&] { put_tmpfs(tmpfs); }});
  for (const auto& file : spec.files)
    mounts.push_back({file.target, [&] { put_file(file); }});
  const auto depth = [](const Mount& mount) {
    return std::count(mount.target.begin(), mount.target.end(), '/');
  };
  std::stable_sort(mounts.begin(), mounts.end(),
                   [&](const auto& a, const auto& b) { return depth(a) < depth(b); });
  for (const auto& mount : mounts)
    mount.put();
}

// In one order for all steps: two that use the same caches shall not wait for each other.
void StandIns::lock_caches(const Spec& spec) {
  for (const auto& bind : spec.binds) {
    if (!bind.lasting) continue;
    auto directory = opened_source(bind);
    const auto status = status_of(directory.get(), bind);
    if (S_ISDIR(status.st_mode)) caches_[{status.st_dev, status.st_ino}].directory = std::move(directory);
  }
  for (auto& [identity, cache] : caches_)
    cache.directory = lock_cache(cache.directory.get(), spec.cancel);
}

void StandIns::put_bind(const BindMount& bind, const sys::Cancellation& cancel) {
  const auto source = opened_source(bind);
  const auto status = status_of(source.get(), bind);
  if (bind.lasting && S_ISDIR(status.st_mode)) return put_cache(bind, status, cancel);
  auto place = clear(bind.target, S_ISDIR(status.st_mode) ? Point::directory : Point::file);
  mounts_.push_back({.target = "/" + place.path.str(), .read_only = bind.read_only});
  if (S_ISSOCK(status.st_mode)) {
    // Of a socket a second name is the socket, and who connects reaches who listens.
    if (::linkat(AT_FDCWD, bind.source.c_str(), place.record.parent.get(), place.record.name.c_str(), 0) != 0)
      util::throw_errno("cannot mount " + util::quote(bind.target) + " for the step");
  } else {
    // What is written to goes by one name alone, as in an overlay.
    const auto links = bind.read_only ? sys::TreeCopy::HardLinks::kept : sys::TreeCopy::HardLinks::parted;
    copy_tree(source.get(), source_of(bind), place.root, place.path, cancel, links);
  }
  place.root.settle();
}

// A second place of the same cache leads to the first.
void StandIns::put_cache(const BindMount& bind, const struct stat& status, const sys::Cancellation& cancel) {
  auto& cache = caches_.at({status.st_dev, status.st_ino});
  auto place = clear(bind.target, Point::directory);
  mounts_.push_back({.target = "/" + place.path.str(), .read_only = bind.read_only});
  if (!cache.directory) {
    place.root.make_symlink(place.path, "/" + cache.place);
  } else {
    cache.place = place.path.str();
    place.root.make_directory(place.path);
    place.record.cache = std::move(cache.directory);
    place.record.is_copied = enter_cache(place.record.cache.get(), place.root, place.path, cancel);
  }
  place.root.settle();
}

void StandIns::put_tmpfs(const TmpfsMount& tmpfs) {
  auto place = clear(tmpfs.target, Point::directory);
  mounts_.push_back({.kind = StepMount::Kind::tmpfs, .target = "/" + place.path.str(), .size = tmpfs.size});
  const bool covers = !place.record.covered.empty();
  put_directory(place.root, place.path, covers ? place.record.status.st_mode & 07777 : 01777);
  place.root.settle();
}

void StandIns::put_file(const MemoryFile& file) {
  auto place = clear(file.target, Point::file);
  mounts_.push_back({.kind = StepMount::Kind::memory_file,
                     .target = "/" + place.path.str(),
                     .runs = (file.mode & 0111) != 0});
  auto created = place.root.create_file(place.path);
  sys::write_all(created.get(), file.content, util::quote(file.target));
  if (::fchown(created.get(), file.uid, file.gid) != 0)
    util::throw_errno("cannot set the owner of " + util::quote(file.target));
  place.root.set_mode(place.path, file.mode);
  // Not open for writing: nobody could execute it, and the script of a here-document is one.
  place.record.secret = sys::UniqueFd(::open(sys::link_of(created.get()).c_str(), O_PATH | O_CLOEXEC));
  if (!place.record.secret) util::throw_errno("cannot open " + util::quote(file.target));
  sys::close_checked(std::move(created), util::quote(file.target));
  place.root.settle();
}

StandIns::Place StandIns::clear(const std::string& target, Point point) {
  const std::string where = "cannot mount " + util::quote(target) + " for the step";
  auto root = sys::RootedDir::open(root_, Times::natural);
  const auto destination = root.destination(target);
  if (!destination) throw StartError(where + ": symlinks there go in circles");
  if (destination->is_root()) throw StartError(where + ": it is the root directory");
  const auto refuse = [&] {
    throw StartError(where + ": " +
                     (point == Point::directory
                          ? "a directory needs a directory to be mounted on, and directories on the way"
                          : "a file needs a file to be mounted on, and directories on the way"));
  };
  const auto path_of_step = "/" + destination->str();
  const bool is_in_proc = destination->is_within(sys::RootedPath().child("proc"));
  if (is_in_proc && !may_be_covered_in_proc(path_of_step))
    throw StartError(where + ": it cannot be mounted because it is inside /proc");
  if (is_in_proc || destination->is_within(sys::RootedPath().child("sys"))) {
    // What is there is the machine's, and nobody can make a name there.
    const auto real = sys::find_status(path_of_step);
    if (real && S_ISDIR(real->st_mode) != (point == Point::directory)) refuse();
    if (!real)
      throw StartError(where + ": " + (is_in_proc ? "No such file or directory" : "Read-only file system"));
    system_targets_.push_back(path_of_step);
  }
  sys::RootedPath on_the_way;
  std::optional<struct stat> status;
  for (const auto& component : util::split(destination->str(), '/')) {
    on_the_way = on_the_way.child(component);
    status = root.status(on_the_way);
    if (!status) break;
    if (on_the_way != *destination && !S_ISDIR(status->st_mode)) refuse();
  }
  if (!status) {
    const auto path = root.find_or_make_parents(destination->str());
    auto& record = stand_ins_.emplace_back(StandIn{.path = path.str()});
    record.parent = root.open_place("/" + path.parent().str());
    record.name = path.name();
    return {.root = std::move(root), .path = path, .record = record};
  }
  if (S_ISDIR(status->st_mode) != (point == Point::directory)) refuse();
  return cover(*destination);
}

StandIns::Place StandIns::cover(sys::RootedPath path) {
  auto root = sys::RootedDir::open(root_);
  auto aside = sys::RootedDir::open(aside_, Times::natural);
  StandIn record{
      .path = path.str(), .name = std::string(path.name()), .covered = std::to_string(stand_ins_.size())};
  record.parent = root.open_place("/" + path.parent().str());
  const auto moved = sys::RootedPath().child(record.covered);
  aside.move(moved, root, path);
  root.settle();
  if (const auto status = aside.status(moved)) record.status = *status;
  return {
      .root = std::move(root), .path = std::move(path), .record = stand_ins_.emplace_back(std::move(record))};
}

void StandIns::put_back() {
  std::exception_ptr first;
  while (!stand_ins_.empty()) {
    auto last = std::move(stand_ins_.back());
    stand_ins_.pop_back();
    try {
      put_back(last);
    } catch (const util::Error&) {
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

void StandIns::put_back(StandIn& stand_in) {
  std::exception_ptr first;
  const auto go_on = [&](const auto& action) {
    try {
      action();
    } catch (const util::Error&) {
      if (!first) first = std::current_exception();
    }
  };
  go_on([&] {
    if (stand_in.secret && ::truncate(sys::link_of(stand_in.secret.get()).c_str(), 0) != 0)
      util::throw_errno("cannot empty " + util::quote("/" + stand_in.path));
  });
  go_on([&] { uncover(stand_in); });
  if (first) std::rethrow_exception(first);
}

void StandIns::uncover(StandIn& stand_in) {
  const auto place = sys::RootedPath().child(stand_in.name);
  const auto original = sys::RootedPath().child(stand_in.covered.empty() ? "none" : stand_in.covered);
  struct stat status;
  if (::fstat(stand_in.parent.get(), &status) != 0) util::throw_errno("cannot look at a mount point");
  const bool is_gone = status.st_nlink == 0;  // the step has removed the directory with all that was in it
  if (stand_in.covered.empty() && is_gone) return;
  try {
    if (is_gone) {
      // Nobody can remove a mount point, or what it is in.
      auto root = sys::RootedDir::open(root_);
      const auto path = root.find_or_make_parents(stand_in.path);
      auto aside = sys::RootedDir::open(aside_, Times::natural);
      root.move(path, aside, original);
      return root.settle();
    }
    sys::RootedDir parent(copy_of(stand_in.parent.get()));
    if (stand_in.cache) leave_cache(stand_in.cache.get(), stand_in.is_copied, parent, place);
    remove(stand_in, parent);
    if (!stand_in.covered.empty()) {
      auto aside = sys::RootedDir::open(aside_, Times::natural);
      parent.move(place, aside, original);
    }
    parent.settle();
  } catch (const util::Error& error) {
    has_kept_ = has_kept_ || !stand_in.covered.empty() || stand_in.cache;
    if (stand_in.covered.empty()) throw;
    throw util::Error("cannot put back " + util::quote("/" + stand_in.path) + ", which is kept as " +
                          util::quote((aside_ / stand_in.covered).string()) + ": " + error.what(),
                      error.exit_code(), error.cause());
  }
}

void StandIns::remove(StandIn& stand_in, sys::RootedDir& parent) {
  const auto place = sys::RootedPath().child(stand_in.name);
  try {
    parent.remove(place);
  } catch (const util::Error&) {
    // Something in it stays where it is. It shall not stay in the way.
    auto aside = sys::RootedDir::open(aside_, Times::natural);
    const auto left = sys::RootedPath().child("left-" + std::to_string(stand_ins_.size()));
    if (::renameat(stand_in.parent.get(), stand_in.name.c_str(), aside.open_place("/").get(),
                   left.str().c_str()) != 0)
      throw;
  }
}

}  // namespace sandbox
