// Lookups, and what two keys differ in.
#include "common/solver/step_cache.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "common/plan/key_writer.hpp"
#include "common/solver/git_command.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

using Kind = plan::KeyPart::Kind;

constexpr std::size_t most_names = 3;
constexpr std::size_t shown_digits = 12;

hash::Digest listing_key(const hash::Digest& content) {
  return plan::KeyWriter("oci-build/key/2/listing").put(content).finish();
}

hash::Digest image_key(const hash::Digest& chain) {
  return plan::KeyWriter("oci-build/key/2/image").put(chain).finish();
}

hash::Digest commit_key(const hash::Digest& content) {
  return plan::KeyWriter("oci-build/key/2/commit").put(content).finish();
}

// As git shows it to people.
std::string short_commit(const std::string& commit) {
  return commit.substr(0, 7);
}

// What stands for a step whose layer was damaged.
hash::Digest damage_key(const hash::Digest& key) {
  return plan::KeyWriter("oci-build/key/2/damage").put(key).finish();
}

std::string short_digest(const hash::Digest& digest) {
  return digest.str().substr(0, digest.str().find(':') + 1 + shown_digits);
}

// "a changed, b is new (and 3 more)".
class Differences {
public:
  void add(std::string what) {
    if (found_.size() < most_names) {
      found_.push_back(std::move(what));
    } else {
      ++more_;
    }
  }

  bool empty() const { return found_.empty(); }

  std::string str() const {
    return util::join(found_, ", ") + (more_ > 0 ? " (and " + std::to_string(more_) + " more)" : "");
  }

private:
  std::vector<std::string> found_;
  std::size_t more_ = 0;
};

// What a part is called where it is not the same as before.
std::string name_of(const plan::KeyPart& part) {
  switch (part.kind) {
    case Kind::variable:
      return "the variable " + part.name;
    case Kind::option:
      return "the " + part.name;
    case Kind::mount:
      return "the mount on " + part.name;
    case Kind::hosts:
      return part.name.empty() ? "the added hosts" : "the added host " + part.name;
    case Kind::epoch:
      return "SOURCE_DATE_EPOCH";
    case Kind::kind:
    case Kind::instruction:
    case Kind::base:
    case Kind::files:
      break;
  }
  return "the instruction";
}

const plan::KeyPart* find_part(const plan::KeyParts& parts, Kind kind, const std::string& name = "") {
  const auto found = std::find_if(parts.begin(), parts.end(), [&](const plan::KeyPart& part) {
    return part.kind == kind && part.name == name;
  });
  return found == parts.end() ? nullptr : &*found;
}

bool has_other_hosts(const plan::KeyParts& parts, const plan::KeyParts& then) {
  const auto has_more = [](const plan::KeyParts& one, const plan::KeyParts& other) {
    return std::any_of(one.begin(), one.end(), [&](const plan::KeyPart& part) {
      return part.kind == Kind::hosts && find_part(other, part.kind, part.name) == nullptr;
    });
  };
  return has_more(parts, then) || has_more(then, parts);
}

}  // namespace

std::optional<store::Step> StepCache::find(const plan::Op& op, const plan::KeyParts& parts,
                                           const std::vector<Read>& reads) {
  const auto key = plan::key_of(parts);
  auto step = store_.steps().find(key);
  if (step && !store_.blobs().has(step->blob, store::Check::size)) step.reset();
  if (!step && imports_ != nullptr) {
    step = imports_->find(key);
    if (step) {
      const bool is_hearsay =
          std::any_of(reads.begin(), reads.end(), [](const Read& read) { return read.is_hearsay; });
      const std::lock_guard lock(mutex_);
      foreign_.emplace(step->blob.digest, Foreign{key, *step, !is_hearsay});
    }
  }
  if (!step) return std::nullopt;
  remember(key, *step);
  // What takes the place last is what the next build is compared with.
  const auto place = plan::place_identity(dockerfile_, op);
  if (store_.steps().note(place) != key) store_.steps().put_note(place, key);
  return step;
}

void StepCache::remember(const hash::Digest& key, const store::Step& step) {
  const std::lock_guard lock(mutex_);
  used_.steps.emplace(key, step);
}

cache::Records StepCache::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

// What others say of a layer is kept once it is known to be so.
void StepCache::bring(const store::Blob& blob) {
  std::vector<Foreign> steps;
  {
    const std::lock_guard lock(mutex_);
    const auto [first, last] = foreign_.equal_range(blob.digest);
    for (auto it = first; it != last; ++it)
      steps.push_back(it->second);
  }
  for (const auto& foreign : steps) {
    const auto checked = imports_->fetch(foreign.step);
    if (foreign.is_kept) store_.steps().put(foreign.key, checked);
    const std::lock_guard lock(mutex_);
    if (checked.removes) removing_.insert(checked.diff_id);
  }
  const std::lock_guard lock(mutex_);
  if (!steps.empty()) foreign_.erase(blob.digest);
}

sys::UniqueFd StepCache::open(const store::Blob& blob) {
  bring(blob);
  auto fd = store_.blobs().open_file(blob, store::Check::digest);
  if (fd) return fd;
  lose();
  throw util::Error("the layer " + blob.digest.str() + " is not in the cache any more",
                    util::Cause::Kind::damaged);
}

sys::UniqueFd StepCache::open_for_image(const store::Blob& blob) {
  constexpr std::uint64_t small = 1 << 20;
  if (blob.size <= small) return open(blob);
  bring(blob);
  auto fd = store_.blobs().open_file(blob, store::Check::size);
  if (!fd) return open(blob);
  checks_.add(blob);
  return fd;
}

bool StepCache::are_sound_for_images() {
  if (!checks_.finish()) lose();
  return !has_lost_;
}

// The build that is made again opens the store anew, which knows of no damage then.
void StepCache::lose() {
  has_lost_ = true;
  for (const auto& [key, step] : used().steps) {
    if (store_.blobs().was_damaged(step.blob.digest)) store_.steps().put_note(damage_key(key), key);
  }
}

bool StepCache::removes(const store::Step& step) {
  bring(step.blob);
  const std::lock_guard lock(mutex_);
  return step.removes || removing_.contains(step.diff_id);
}

void StepCache::refuse(const store::Step& step) {
  const auto key = plan::key_of(step.parts);
  store_.steps().remove(key);
  store_.steps().put_note(damage_key(key), key);
  has_lost_ = true;
  if (imports_ != nullptr) imports_->give_up();
}

std::optional<hash::Digest> StepCache::content(const hash::Digest& selection) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = contents_.find(selection); found != contents_.end()) return found->second;
  }
  const auto content = store_.steps().note(selection);
  if (content) remember_content(selection, *content);
  return content;
}

std::optional<hash::Digest> StepCache::content_by_hearsay(const hash::Digest& selection) {
  const auto content = imports_ != nullptr ? imports_->note(selection) : std::nullopt;
  if (content) remember_content(selection, *content);
  return content;
}

void StepCache::remember_content(const hash::Digest& selection, const hash::Digest& content) {
  const std::lock_guard lock(mutex_);
  used_.notes.insert_or_assign(selection, content);
}

void StepCache::keep_content(const hash::Digest& selection, const hash::Digest& content) {
  remember_content(selection, content);
  const std::lock_guard lock(mutex_);
  contents_.insert_or_assign(selection, content);
}

void StepCache::keep_contents() {
  std::map<hash::Digest, hash::Digest> contents;
  {
    const std::lock_guard lock(mutex_);
    contents.swap(contents_);
  }
  for (const auto& [selection, content] : contents)
    store_.steps().put_note(selection, content);
}

std::optional<store::Step> StepCache::find_variant(const plan::KeyParts& parts) {
  auto step = store_.steps().find(plan::key_of(parts));
  if (!step || !store_.blobs().has(step->blob, store::Check::size)) return std::nullopt;
  return step;
}

void StepCache::keep(const plan::Op& op, const store::Step& step, const std::vector<Read>& reads) {
  if (!store_.trees().are_sound()) return;
  keep_contents();
  // The record last: what it names is there.
  for (const auto& read : reads) {
    if (read.listing) store_.steps().put_listing(listing_key(read.digest), read.listing->text());
  }
  const auto key = plan::key_of(step.parts);
  store_.steps().remove(damage_key(key));
  store_.steps().put(key, step);
  remember(key, step);
  store_.steps().put_note(plan::place_identity(dockerfile_, op), key);
  store_.steps().put_note(plan::instruction_identity(op), key);
}

// Of a step that took the place last, or had the instruction last. What is damaged this build has found out,
// or the one before it has noted.
std::optional<std::string> StepCache::how_lost(const plan::Op& op, const hash::Digest& key) {
  for (const auto& identity : {plan::place_identity(dockerfile_, op), plan::instruction_identity(op)}) {
    const auto last = store_.steps().note(identity);
    if (last != key) {
      if (last && store_.steps().peek(*last)) return std::nullopt;
      continue;
    }
    if (store_.steps().was_damaged(key) || store_.steps().note(damage_key(key)))
      return "its layer is damaged";
    const auto step = store_.steps().peek(key);
    return step && store_.blobs().was_damaged(step->blob.digest) ? "its layer is damaged"
                                                                 : "its layer was pruned";
  }
  return std::nullopt;
}

std::optional<store::Step> StepCache::nearest(const plan::Op& op) {
  for (const auto& identity : {plan::place_identity(dockerfile_, op), plan::instruction_identity(op)}) {
    const auto key = store_.steps().note(identity);
    if (!key) continue;
    if (auto step = store_.steps().peek(*key)) return step;
  }
  return std::nullopt;
}

void StepCache::keep_image(const hash::Digest& chain, const hash::Digest& image) {
  {
    const std::lock_guard lock(mutex_);
    images_.insert_or_assign(chain, image);
  }
  if (store_.steps().note(image_key(chain)) != image) store_.steps().put_note(image_key(chain), image);
}

std::optional<hash::Digest> StepCache::image_of(const hash::Digest& chain) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = images_.find(chain); found != images_.end()) return found->second;
  }
  return store_.steps().note(image_key(chain));
}

std::string StepCache::changed_base(const hash::Digest& then, const hash::Digest& now) {
  const auto old_image = image_of(then);
  const auto image = image_of(now);
  if (!old_image || !image) return "the layers below changed";
  return "the base image changed (" + short_digest(*old_image) + " -> " + short_digest(*image) + ")";
}

void StepCache::keep_commit(const hash::Digest& content, const std::string& commit) {
  if (commit_of(content) != commit) store_.steps().put_listing(commit_key(content), commit);
}

std::optional<std::string> StepCache::commit_of(const hash::Digest& content) {
  auto commit = store_.steps().listing(commit_key(content));
  if (commit && !is_commit_id(*commit)) commit.reset();
  return commit;
}

std::string StepCache::changed_files(const Read& read, const hash::Digest& then) {
  if (const auto old = read.commit.empty() ? std::nullopt : commit_of(then); old && *old != read.commit)
    return "the repository changed (" + short_commit(*old) + " -> " + short_commit(read.commit) + ")";
  auto listing = store_.steps().listing(listing_key(then));
  const std::string shown = util::quote(read.shown.empty() ? "/" : read.shown);
  if (!listing || !read.listing) return "files of " + shown + " changed";
  Differences differences;
  const auto name = [&](std::string_view path) {
    std::string whole = read.shown == "." || read.shown == "/" ? "" : read.shown;
    if (!whole.empty() && !path.empty() && !whole.ends_with('/')) whole += '/';
    whole += path;
    return whole.empty() ? std::string(".") : util::escape(whole);
  };
  const auto add = [&](std::string_view path, Difference difference) {
    differences.add(name(path) + (difference == Difference::changed  ? " changed"
                                  : difference == Difference::is_new ? " is new"
                                                                     : " is gone"));
  };
  for_each_difference(Listing(std::move(*listing)), *read.listing, add);
  return differences.empty() ? "files of " + shown + " changed their order" : differences.str();
}

std::string StepCache::reason(const plan::Op& op, const plan::KeyParts& parts,
                              const std::vector<Read>& reads) {
  const auto key = plan::key_of(parts);
  if (auto how = how_lost(op, key)) return std::move(*how);
  const auto before = nearest(op);
  if (!before) return "never built before";
  const auto& then = before->parts;
  for (const auto kind : {Kind::kind, Kind::instruction}) {
    const auto* now = find_part(parts, kind);
    const auto* old = find_part(then, kind);
    if (now != nullptr && (old == nullptr || *old != *now)) return "the instruction changed";
  }
  Differences differences;
  // Each host is named; where none came or went, their order is what changed.
  const auto is_named_elsewhere = [&](const plan::KeyPart& part) {
    return part.kind == Kind::hosts && part.name.empty() && has_other_hosts(parts, then);
  };
  if (const auto* now = find_part(parts, Kind::base), *old = find_part(then, Kind::base);
      now != nullptr && old != nullptr && *now != *old)
    differences.add(changed_base(old->value, now->value));
  std::vector<std::string> files;
  for (const auto& part : parts) {
    if (part.kind == Kind::base || is_named_elsewhere(part)) continue;
    const auto* old = find_part(then, part.kind, part.name);
    if (old != nullptr && *old == part) continue;
    if (part.kind != Kind::files) {
      differences.add(name_of(part) + (old == nullptr ? " is new" : " changed"));
    } else if (const auto& read = reads.at(std::stoul(part.name)); old != nullptr) {
      files.push_back(changed_files(read, old->value));
    }
  }
  for (const auto& part : then) {
    if (part.kind != Kind::base && find_part(parts, part.kind, part.name) == nullptr)
      differences.add(name_of(part) + " is gone");
  }
  if (!differences.empty()) files.insert(files.begin(), differences.str());
  // An order of variables, say.
  return files.empty() ? "the instruction changed" : util::join(files, ", ");
}

}  // namespace solver
