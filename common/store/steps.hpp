// Which layer a step has made, by the key of the step.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/hash/digest.hpp"
#include "common/plan/cache_key.hpp"
#include "common/store/blobs.hpp"
#include "common/store/entries.hpp"
#include "common/store/spill.hpp"
#include "common/store/warn.hpp"
#include "common/util/date.hpp"

namespace store {

// A layer that was made, and what it was made of.
struct Step {
  hash::Digest diff_id;
  Blob blob;
  std::string media_type;
  bool removes = false;  // files of the layers below
  util::Date created = {};
  plan::KeyParts parts = {};  // of its key

  friend bool operator==(const Step&, const Step&) = default;
};

// What a URL gave, which builds ask about again.
struct Fetched {
  Blob blob;
  std::string etag;           // of the server; empty where it sent none
  std::int64_t modified = 0;  // seconds since 1970; 0 where it did not say

  friend bool operator==(const Fetched&, const Fetched&) = default;
};

// Records of three forms, each found by a digest that no other thing has: a step as {"schema":
// "oci-build/store-step/1", "diff_id", "digest" and "size" of the blob, "media_type", "removes", "created",
// "parts": [{"kind", "name", "value"}, …]}, a note as {"schema": "oci-build/store-note/1", "digest"}. A note
// says what was found out once and holds for ever, such as the content of files in a filesystem that is known
// by its layers; or what was so the last time. Beside them lie listings, of which the store knows nothing but
// that they are bytes. Thread-safe.
class Steps {
public:
  // `partial` is for what is being written. Both live longer.
  Steps(const Folder& folder, const Folder& partial, Warn warn, Spill& spill);

  // The step of this key, which counts as a use; its blob may be gone. A damaged record is removed, warned
  // of, and not there.
  std::optional<Step> find(const hash::Digest& key);
  // The same for who only compares: neither a use nor warned of.
  std::optional<Step> peek(const hash::Digest& key) const;
  // One that cannot be written is made again by the next build. Throws util::Error where nothing spills.
  void put(const hash::Digest& key, const Step& step);
  // One that is wrong is not found any more.
  void remove(const hash::Digest& key);
  // True if the record of this key was found to be damaged since the store was opened.
  bool was_damaged(const hash::Digest& key) const;

  std::optional<hash::Digest> note(const hash::Digest& key);
  void put_note(const hash::Digest& key, const hash::Digest& digest);

  // {"schema": "oci-build/store-fetched/1", "digest" and "size" of the blob, "etag", "modified"}; the blob
  // may be gone.
  std::optional<Fetched> fetched(const hash::Digest& key);
  void put_fetched(const hash::Digest& key, const Fetched& fetched);

  // Nothing also for one of more than 64 MiB.
  std::optional<std::string> listing(const hash::Digest& key);
  void put_listing(const hash::Digest& key, std::string_view listing);

private:
  template <typename Parse>
  auto read(const hash::Digest& key, const Parse& parse) -> decltype(std::optional(parse(std::string())));
  void write(const hash::Digest& key, std::string_view record);

  const Folder& folder_;
  const Folder& partial_;
  Warn warn_;
  Spill& spill_;
  mutable std::mutex mutex_;
  std::set<hash::Digest> damaged_;  // guarded by mutex_
};

}  // namespace store
