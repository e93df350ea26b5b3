// A thread for each tree.
#include "common/store/tree_watch.hpp"

#include <utility>

#include "common/store/fingerprint.hpp"
#include "common/util/error.hpp"
#include "common/util/log.hpp"

namespace store {
namespace {

// Not where another build has made the tree anew meanwhile. To have looked in vain costs the next build some
// time.
void rewrite(const OpenTree& tree, const hash::Digest& seal_read, const TreeRecord& record,
             const Folder& partial) noexcept {
  try {
    const auto there = read_tree_record(tree.place);
    if (there && there->seal == seal_read) write_tree_record(tree.place, record, partial);
  } catch (const util::Error& error) {
    util::log::debug(error.what());
  }
}

// A seal also breaks when the whole cache is copied, as some workers do for every build: the bytes decide.
bool is_as_made(const OpenTree& tree, TreeRecord& record, const Folder& partial,
                const sys::Cancellation& cancel) {
  const auto now = seal(tree.root, cancel).digest;
  if (now == record.seal) return true;
  if (fingerprint_of(record) != fingerprint(tree.root, cancel)) return false;
  const auto before = std::exchange(record.seal, now);
  rewrite(tree, before, record, partial);
  return true;
}

// Only of what the seal says to be as it was made, before and after.
void add_fingerprint(const OpenTree& tree, TreeRecord& record, const Folder& partial,
                     const sys::Cancellation& cancel) {
  record.fingerprint = fingerprint(tree.root, cancel);
  if (seal(tree.root, cancel).digest == record.seal) rewrite(tree, record.seal, record, partial);
}

}  // namespace

void TreeWatch::add(const std::string& name, std::shared_ptr<const OpenTree> tree, const TreeRecord& made_as,
                    Made made) {
  const std::lock_guard lock(mutex_);
  if (const auto old = trees_.find(name); made == Made::now && old != trees_.end()) {
    // It took the place of one that this build may have used, whose verdict counts.
    if (!old->second.is_sound.get()) sound_ = false;
    trees_.erase(old);
  }
  const auto [found, is_new] = trees_.try_emplace(name);
  if (!is_new) return;
  const auto verdict = std::make_shared<std::promise<bool>>();
  found->second.is_sound = verdict->get_future();
  auto work = [this, name, tree = std::move(tree), record = made_as, made, verdict,
               cancel = found->second.abandon.cancellation()]() mutable {
    bool told = false;
    const auto tell = [&](bool is_sound) {
      if (!told) verdict->set_value(is_sound);
      told = true;
    };
    try {
      if (made == Made::earlier && !is_as_made(*tree, record, partial_, cancel))
        throw util::Error("its files are not as they were unpacked");
      tell(true);
      if (!record.fingerprint) add_fingerprint(*tree, record, partial_, cancel);
    } catch (const std::exception& error) {
      const bool is_damaged = !told && !cancel.requested();
      if (is_damaged) {
        remove_entry(tree->place, record_name);  // the rest goes when the tree is made anew
        warn_("dropped the damaged tree " + name + " from the store: " + error.what());
      }
      tell(!is_damaged && !cancel.requested());
    }
  };
  try {
    found->second.thread = sys::Thread(std::move(work));
  } catch (const util::Error&) {
    trees_.erase(found);  // no more threads to be had: as if nobody had looked
  }
}

void TreeWatch::finish() {
  const std::lock_guard lock(mutex_);
  for (auto& [name, tree] : trees_) {
    if (tree.thread.joinable()) tree.thread.join();
  }
}

bool TreeWatch::are_sound() {
  std::vector<std::shared_future<bool>> verdicts;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, tree] : trees_)
      verdicts.push_back(tree.is_sound);
  }
  bool are_sound = true;
  for (const auto& verdict : verdicts)
    are_sound = verdict.get() && are_sound;
  const std::lock_guard lock(mutex_);
  sound_ = sound_ && are_sound;
  return sound_;
}

}  // namespace store
