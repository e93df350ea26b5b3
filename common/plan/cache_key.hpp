// What the result of an op depends on, as one digest: equal keys mean that a result may stand for the other.
//
// A key covers the definition of its op, in a form that depends neither on how the Dockerfile is laid out nor
// on where files lie on this machine, and the keys or contents of what the op works on. An op that reads a
// few files of another one is keyed on what these are (content.hpp), not on how they came about; the
// filesystem that an op changes counts by its key. Left out is what must not make a difference: times of
// files, proxies, addresses of added hosts, secrets and SSH keys, what cache mounts hold, titles,
// `Op::ignore_cache` (that op is not looked up, but what follows has the same key as ever).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/plan/op.hpp"

namespace plan {

hash::Digest scratch_key();

// Of an image's filesystem. By its layers alone: under whatever name and from wherever they come.
hash::Digest image_key(const std::vector<hash::Digest>& diff_ids);

hash::Digest file_key(const MakeFile& file);

// `content` is what was downloaded, `last_modified` what the server says of it ("" = nothing).
hash::Digest download_key(const Http& http, const hash::Digest& content, std::string_view last_modified);

// `commit` is the full id that the reference meant.
hash::Digest checkout_key(const Git& git, std::string_view commit);

// True if an owner is given by name, so that the base's /etc/passwd and /etc/group decide.
bool reads_accounts(const Copy& copy);
bool reads_accounts(const MakeDirectory& directory);

// The layer that a copy makes. `selected` has a digest of what each source selects. The key of what a copy
// builds on counts unless it is a --link; then the layer is the same on any base, and the filesystem that
// results is stacked_key(). `accounts` is given where reads_accounts().
hash::Digest copy_key(const Copy& copy, const hash::Digest& base, const std::vector<hash::Digest>& selected,
                      const std::optional<hash::Digest>& accounts);

// The filesystem of a layer that was made apart from its base.
hash::Digest stacked_key(const hash::Digest& base, const hash::Digest& layer);

// `epoch` is SOURCE_DATE_EPOCH, the time of what is made.
hash::Digest directory_key(const MakeDirectory& directory, const hash::Digest& base,
                           const std::optional<hash::Digest>& accounts, std::optional<std::int64_t> epoch);

// `selected` has a digest of what each mount with a `from` shows, in order; `host_names` are those of added
// hosts.
hash::Digest run_key(const Run& run, const hash::Digest& root, const std::vector<hash::Digest>& selected,
                     const std::vector<std::string>& host_names);

}  // namespace plan
