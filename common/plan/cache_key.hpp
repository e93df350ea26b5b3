// What the layer that an op makes depends on: equal keys mean that a layer made before may stand for it.
//
// A key is made of parts, so that two of them can be told apart by what differs and not only as a whole. It
// covers the definition of its op, in a form that depends neither on how the Dockerfile is laid out nor on
// where files lie on this machine, the filesystem that the op changes, and the content of the files that it
// reads elsewhere. A filesystem counts by its layers (image::chain_id), however they came about and whatever
// they are called; files that are read count by what they are (solver/content.hpp). Left out is what must not
// make a difference: times of files, proxies, addresses of added hosts, secrets and SSH keys, what cache
// mounts hold, titles, `Op::ignore_cache` (that op is not looked up, but what it makes has the same key as
// ever).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/plan/op.hpp"

namespace plan {

// One thing that a layer depends on.
struct KeyPart {
  enum class Kind {
    kind,         // of the op: what its instruction is called
    base,         // the layers below
    instruction,  // the command, or what is copied where
    option,       // of the step: user, directory, network …, by name
    variable,     // of the environment, by name
    files,        // that are read of elsewhere; the name is their ordinal
    mount,        // by target
    hosts,        // names that are added: all in their order, which is called "", and each
    epoch,        // SOURCE_DATE_EPOCH
  };

  Kind kind;
  std::string name;    // with what is no UTF-8 escaped
  hash::Digest value;  // of whatever it is: what stands in a build arg is nobody's to read

  friend bool operator==(const KeyPart&, const KeyPart&) = default;
};

std::string_view to_string(KeyPart::Kind kind) noexcept;
// Nothing for what no kind is called.
std::optional<KeyPart::Kind> key_part_kind(std::string_view text) noexcept;

using KeyParts = std::vector<KeyPart>;

hash::Digest key_of(const KeyParts& parts);

// Of each, `base` is the chain of the layers that the op changes.

// `selected` has the content of what each source selects. The base counts unless the copy is a --link, whose
// layer is the same on any base.
KeyParts copy_key(const Copy& copy, const hash::Digest& base, const std::vector<hash::Digest>& selected);

// `epoch` is SOURCE_DATE_EPOCH, the time of what is made.
KeyParts directory_key(const MakeDirectory& directory, const hash::Digest& base,
                       std::optional<std::int64_t> epoch);

// `selected` has the content of what each mount with a `from` shows, in order; `host_names` are those of
// added hosts.
KeyParts run_key(const Run& run, const hash::Digest& base, const std::vector<hash::Digest>& selected,
                 const std::vector<std::string>& host_names);

// A layer that is there, in another form: compressed otherwise, or without times after `newest_mtime`.
KeyParts variant_key(const hash::Digest& diff_id, std::string_view compression,
                     std::optional<std::int64_t> newest_mtime);

// What names a file that stands in the Dockerfile, wherever its content is known.
hash::Digest file_identity(const MakeFile& file);

// What names a file that was downloaded: alone in its filesystem, of this content.
hash::Digest download_identity(const Http& http, std::string_view checksum);

// What names the files of an archive that was downloaded.
hash::Digest unpacked_identity(const hash::Digest& download);

// What names the files of a commit, all of them or those of the subdirectory: the commit does, whichever
// repository it was fetched from. What is kept of a repository also shows where it was, and as which ref.
hash::Digest checkout_identity(const Git& git, std::string_view ref, std::string_view commit);
hash::Digest repository_identity(const Git& git, std::string_view ref, std::string_view commit);

// What names a selection of files: `from` is the identity of the filesystem that they are read of, `path`
// where they lie in it. Only of what decides which files these are, not of what is done with them.
hash::Digest selection_identity(const hash::Digest& from, const Copy& copy, const Copy::Source& source);
hash::Digest selection_identity(const hash::Digest& from, const std::string& path);

// What names the place of an op: of the step that takes this place in the next build it tells what changed.
hash::Digest place_identity(std::string_view dockerfile, const Op& op);
hash::Digest instruction_identity(const Op& op);

}  // namespace plan
