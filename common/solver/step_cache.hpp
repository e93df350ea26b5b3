// What builds before this one have made, found by what it was made of; and why something is not found.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/cache/imports.hpp"
#include "common/plan/cache_key.hpp"
#include "common/solver/content.hpp"
#include "common/store/late_checks.hpp"
#include "common/store/store.hpp"

namespace solver {

// What a step reads of elsewhere, as its key counts it.
struct Read {
  std::string shown;  // what its files are called: "src", where "src/main.c" is one
  hash::Digest digest;
  std::optional<Listing> listing;  // where the files were looked at
  bool is_hearsay = false;         // what only the cache of another says of them
  std::string commit = {};         // that they are of, where they lie in a git repository
};

// Thread-safe.
class StepCache {
public:
  // `dockerfile` tells the steps of one from those of another at the same place. What is not in `store` is
  // looked for in the caches of others, if there are any; both live longer.
  StepCache(store::Store& store, std::string dockerfile, cache::Imports* imports = nullptr)
      : store_(store), dockerfile_(std::move(dockerfile)), imports_(imports), checks_(store.blobs()) {}

  // The layer that stands for a step of this key, if open() can give its blob. Where others say both what the
  // step reads and what it makes of that, this build alone goes by it: the store is not told.
  std::optional<store::Step> find(const plan::Op& op, const plan::KeyParts& parts,
                                  const std::vector<Read>& reads);

  // Why find() gave nothing, in words: "src/main.c changed". It compares with what took the same place of the
  // same Dockerfile last, else with what had the same instruction.
  std::string reason(const plan::Op& op, const plan::KeyParts& parts, const std::vector<Read>& reads);

  // Waits until it is known of the trees in use whether they are sound: what was made of another one is not
  // kept. A build that is killed before leaves nothing of that kind either.
  void keep(const plan::Op& op, const store::Step& step, const std::vector<Read>& reads);

  // What an image of these layers is called, or what the one is called that they are on, for who reads of
  // another one.
  void keep_image(const hash::Digest& chain, const hash::Digest& image);

  // Of a selection of files in a filesystem that is known by its layers.
  std::optional<hash::Digest> content(const hash::Digest& selection);
  // The same as others say; what is made here is not to be kept by that.
  std::optional<hash::Digest> content_by_hearsay(const hash::Digest& selection);
  // For this build; later ones know it once keep() or keep_contents() was called.
  void keep_content(const hash::Digest& selection, const hash::Digest& content);
  // To be called where the trees that the files were read of are known to be sound. Throws util::Error.
  void keep_contents();

  // The commit that files of this content were in last.
  void keep_commit(const hash::Digest& content, const std::string& commit);

  // A layer in another form than that in which it was made.
  std::optional<store::Step> find_variant(const plan::KeyParts& parts);
  void keep_variant(const store::Step& step) { store_.steps().put(plan::key_of(step.parts), step); }

  // The blob of a step that was found or kept, its digest checked; of one that only the cache of another has
  // it is brought here, and checked to be the layer it is said to be. Throws util::Error where it is damaged
  // or not to be had; then has_lost() or cache::Imports::has_failed().
  sys::UniqueFd open(const store::Blob& blob);
  // The same for who copies the blob into an image: whether a large one has its digest turns out meanwhile.
  sys::UniqueFd open_for_image(const store::Blob& blob);
  // To be asked before an image is published. False if such a blob is not what it should be; then has_lost().
  bool are_sound_for_images();
  // Whether the layer of such a step removes files of those below it. Throws as open() does.
  bool removes(const store::Step& step);
  // For who cannot unpack the layer, which others may have made up: the step is not found any more.
  void refuse(const store::Step& step);
  // True if something that had been found was damaged or refused: the build is to be made again.
  bool has_lost() const noexcept { return has_lost_.load(); }

  store::Blobs& blobs() { return store_.blobs(); }

  // What downloads before this one gave; its blob may be gone.
  std::optional<store::Fetched> fetched(const hash::Digest& key) { return store_.steps().fetched(key); }
  void keep_fetched(const hash::Digest& key, const store::Fetched& fetched) {
    store_.steps().put_fetched(key, fetched);
  }

  // All that was found and kept so far: what the next worker needs for the same build.
  cache::Records used() const;
  store::Trees& trees() { return store_.trees(); }
  store::Seals* seals() { return store_.seals(); }

private:
  struct Foreign {
    hash::Digest key;
    store::Step step;
    bool is_kept;
  };

  void bring(const store::Blob& blob);
  void remember(const hash::Digest& key, const store::Step& step);
  void remember_content(const hash::Digest& selection, const hash::Digest& content);
  std::optional<store::Step> nearest(const plan::Op& op);
  std::optional<std::string> how_lost(const plan::Op& op, const hash::Digest& key);
  void lose();
  std::optional<hash::Digest> image_of(const hash::Digest& chain);
  std::optional<std::string> commit_of(const hash::Digest& content);
  std::string changed_base(const hash::Digest& then, const hash::Digest& now);
  std::string changed_files(const Read& read, const hash::Digest& then);

  store::Store& store_;
  std::string dockerfile_;
  std::atomic<bool> has_lost_ = false;
  cache::Imports* imports_;
  mutable std::mutex mutex_;
  cache::Records used_;                            // this and what follows is guarded by mutex_
  std::map<hash::Digest, hash::Digest> contents_;  // by selection, of which the store is not told yet
  std::map<hash::Digest, hash::Digest> images_;    // of this build, by chain
  std::multimap<hash::Digest, Foreign> foreign_;   // by blob
  std::set<hash::Digest> removing_;                // layers that others have made, by diff_id
  store::LateChecks checks_;
};

}  // namespace solver
