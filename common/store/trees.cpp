// Trees as directories, each with a record of what it was when it was made.
#include "common/store/trees.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <sstream>

#include "common/hash/sha256.hpp"
#include "common/store/fingerprint.hpp"
#include "common/store/store.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/device_marks.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/remove_tree.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"
#include "common/util/text.hpp"

namespace store {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto root_name = "root";
// flock(2) cannot wait for a cancellation as well; unpacking takes so long that asking is good enough.
constexpr auto lock_interval = 20ms;

// True if ids are stored as they are seen, whatever the ranges they are given in (user_namespaces(7)).
bool is_identity(const std::string& id_map) {
  std::istringstream lines(id_map);
  for (std::uint64_t inside = 0, outside = 0, count = 0; lines >> inside >> outside >> count;) {
    if (inside != outside) return false;
  }
  return true;
}

// What else the result of unpacking depends on: how ids are mapped, and what we may do.
std::string circumstances(bool& plain) {
  const auto uids = sys::read_if_there("/proc/self/uid_map");
  const auto gids = sys::read_if_there("/proc/self/gid_map");
  plain = is_identity(uids) && is_identity(gids);
  const auto status = sys::read_if_there("/proc/self/status");
  const auto begin = std::min(status.find("CapEff:"), status.size());
  return "with marks\n" + uids + "\n" + gids + "\n" + status.substr(begin, status.find('\n', begin) - begin);
}

std::string plain_name(const hash::Digest& chain) {
  return chain.hex();
}

// The name of a tree of ours alone; the same as the plain one when `fidelity` and mapping allow that.
std::string name_of(const hash::Digest& chain, Fidelity fidelity) {
  bool plain = false;
  const auto text = circumstances(plain);
  if (plain && fidelity == Fidelity::whole) return plain_name(chain);
  return plain_name(chain) + "-" + std::string(hash::sha256(text).hex().substr(0, 16));
}

// The mode of the root shows in the image; the umask must not.
std::shared_ptr<const OpenTree> open_new_tree(const NewEntry& entry) {
  auto place = entry.open();
  const auto what = place.shown(root_name);
  if (::mkdirat(place.fd(), root_name, 0755) != 0) util::throw_errno("cannot create " + what);
  sys::UniqueFd root(::openat(place.fd(), root_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!root || ::fchmod(root.get(), 0755) != 0) util::throw_errno("cannot create " + what);
  auto path = place.path() / root_name;
  return std::make_shared<const OpenTree>(
      OpenTree{std::move(place), Folder(std::move(root), std::move(path))});
}

// Those that files of a tree may stand for.
std::map<std::string, sys::Device> known_devices() {
  const auto* const marks = sys::DeviceMarks::of_process();
  auto devices = marks == nullptr ? std::map<std::string, sys::Device>() : marks->contents();
  std::erase_if(devices, [](const auto& known) { return known.second.number == 0; });  // whiteouts
  return devices;
}

bool are_same(int one, int other) {
  struct stat first = {};
  struct stat second = {};
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 && sys::is_same_file(first, second);
}

bool has_plain_ids() {
  bool plain = false;
  circumstances(plain);
  return plain;
}

}  // namespace

Trees::Trees(const Folder& folder, const Folder& partial, Warn warn, Life life, Spill& spill)
    : folder_(folder),
      partial_(partial),
      warn_(std::move(warn)),
      life_(life),
      spill_(spill),
      watch_(partial_, warn_) {}

bool Trees::are_sound() {
  return watch_.are_sound();
}

std::optional<fs::path> Trees::find(const hash::Digest& chain, const sys::Cancellation& cancel) {
  if (auto* other = spill_.store()) {
    if (auto root = other->trees().find(chain, cancel)) return root;
  }
  if (has_plain_ids()) {
    if (auto root = find_named(plain_name(chain), cancel)) return root;
  }
  return find_named(name_of(chain, Fidelity::with_losses), cancel);
}

std::optional<fs::path> Trees::find_named(const std::string& name, const sys::Cancellation& cancel) {
  std::optional<Folder> place;
  std::shared_ptr<const OpenTree> tree;
  try {
    place = find_folder(folder_, name);
    if (!place) return std::nullopt;
    auto record = read_tree_record(*place);
    if (!record) return std::nullopt;
    auto root = find_folder(*place, root_name);
    if (!root) throw util::Error("its files are missing");
    if (auto* const marks = sys::DeviceMarks::of_process()) marks->learn(record->devices);
    tree = std::make_shared<const OpenTree>(OpenTree{std::move(*place), std::move(*root)});
    if (const auto boot = boot_id(); record->boot != boot || boot.empty()) {
      if (fingerprint_of(*record) != fingerprint(tree->root, cancel))
        throw util::Error("its files are not as they were unpacked");
      try {
        record->seal = seal(tree->root, cancel).digest;
        record->boot = boot;
        write_tree_record(tree->place, *record, partial_);
      } catch (const util::Error& error) {
        if (error.is_cancelled()) throw;  // else the next build looks through it once more
        util::log::debug(error.what());
      }
    } else if (life_ == Life::lasting) {
      watch_.add(name, tree, *record, Made::earlier);
    }
  } catch (const util::Error& error) {
    if (error.is_cancelled()) throw;
    // Of a directory the record is enough: the rest goes when the tree is made anew.
    if (tree || place) {
      remove_entry(tree ? tree->place : *place, record_name);
    } else {
      remove_entry(folder_, name);
    }
    warn_("dropped the damaged tree " + name + " from the store: " + error.what());
    return std::nullopt;
  }
  // The time of the last use only decides what is pruned first, so a failure does no harm.
  [[maybe_unused]] const int ignored = ::utimensat(folder_.fd(), name.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
  return hand_out(std::move(tree));
}

// One descriptor for a tree, however often it is asked for.
fs::path Trees::hand_out(std::shared_ptr<const OpenTree> tree) {
  const std::lock_guard lock(mutex_);
  for (const auto& other : handed_out_) {
    if (are_same(other->root.fd(), tree->root.fd())) return other->root.handle();
  }
  return handed_out_.emplace_back(std::move(tree))->root.handle();
}

std::optional<LockFile> Trees::try_lock(const hash::Digest& chain, Bytes bytes) {
  return LockFile::try_lock(partial_, "tree-" + chain.hex() + (bytes == Bytes::awaited ? "-awaited" : ""));
}

std::optional<NewTree> Trees::make(const hash::Digest& chain, Bytes bytes, const sys::Cancellation& cancel) {
  for (;;) {
    if (find(chain, cancel)) return std::nullopt;
    if (auto* other = spill_.store()) return other->trees().make(chain, bytes, cancel);
    try {
      std::optional<LockFile> turn;
      if (bytes == Bytes::awaited) turn = try_lock(chain, Bytes::awaited);
      if (turn || bytes == Bytes::here) {
        if (auto lock = try_lock(chain, Bytes::here)) {
          // The one we waited for may have finished between the look and the lock.
          if (find(chain, cancel)) return std::nullopt;
          // A network may take any time: until commit() nobody has to wait who needs none.
          if (turn) lock.reset();
          return NewTree(*this, chain, cancel, std::move(turn), std::move(lock));
        }
      }
    } catch (const util::Error& error) {
      spill_.use(error);
      continue;
    }
    cancel.sleep(lock_interval);
  }
}

Trees::Found Trees::get(const hash::Digest& chain, Bytes bytes, const sys::Cancellation& cancel,
                        const std::function<Fidelity(const std::filesystem::path&)>& fill) {
  for (;;) {
    if (auto root = find(chain, cancel)) return {std::move(*root), true};
    auto making = make(chain, bytes, cancel);
    if (!making) continue;
    try {
      const auto fidelity = fill(making->root());
      return {making->commit(fidelity)};
    } catch (const util::Error& error) {
      if (cancel.requested() || !give_up(std::move(*making), error)) throw;
    }
  }
}

bool Trees::give_up(NewTree tree, const util::Error& reason) {
  if (tree.trees_ != this || tree.takes_more()) return false;
  spill_.use(reason);
  return true;
}

// More than any one write of who unpacks: its last one may have failed with less than that left.
bool NewTree::takes_more() const {
  constexpr std::size_t enough = 4 << 20;
  try {
    write_entry(tree_->place, "probe", std::string(enough, 'x'), tree_->place);
    return true;
  } catch (const util::Error&) {
    return false;
  }
}

NewTree::NewTree(Trees& trees, hash::Digest chain, const sys::Cancellation& cancel,
                 std::optional<LockFile> turn, std::optional<LockFile> lock)
    : trees_(&trees),
      chain_(std::move(chain)),
      cancel_(cancel),
      turn_(std::move(turn)),
      lock_(std::move(lock)),
      place_(NewEntry::directory(trees.partial_)),
      tree_(open_new_tree(place_)) {}

fs::path NewTree::commit(Fidelity fidelity) {
  const bool lasts = trees_->life_ == Life::lasting;
  const auto sealed = lasts ? seal(tree_->root) : Seal{hash::sha256(""), 0};
  TreeRecord record{
      .fingerprint = std::nullopt, .seal = sealed.digest, .boot = boot_id(), .bytes = sealed.bytes};
  if (fidelity == Fidelity::with_losses) record.devices = known_devices();
  write_tree_record(tree_->place, record, trees_->partial_);
  if (!lock_) {
    while (!(lock_ = trees_->try_lock(chain_, Bytes::here)))
      cancel_.sleep(lock_interval);
    if (auto made_by_another = trees_->find(chain_)) return std::move(*made_by_another);
  }
  const auto name = name_of(chain_, fidelity);
  // What a damaged tree left; whole ones are found before anybody makes them anew.
  sys::remove_tree_at(trees_->folder_.fd(), name, trees_->folder_.shown(name));
  place_.place(trees_->folder_, name);
  if (lasts) trees_->watch_.add(name, tree_, record, Made::now);
  return trees_->hand_out(tree_);
}

}  // namespace store
