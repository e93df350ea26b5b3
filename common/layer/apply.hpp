// Puts the layers of an image one over another into a directory (OCI image-spec, layer.md, "Applying
// Changesets").
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "common/layer/member.hpp"
#include "common/layer/path_set.hpp"
#include "common/stream/source.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/tar/reader.hpp"

namespace layer {

struct Report : Losses {
  std::uint64_t members = 0;
  std::uint64_t bytes = 0;  // of file content, holes included
};

// How layers are read that say less than everything, each with what real builders make of them.
enum class Reading {
  // umoci's: one tree that each layer changes. Names are found in all that lies below, so a symlink of a
  // lower layer leads a member elsewhere; a hard link is one more name and nothing else.
  tree,
  // BuildKit's and containerd's: each layer is a tree of its own, and all of them show as overlayfs shows
  // them. What a layer only goes through is a directory, which covers a lower file or symlink of that name
  // and
  // is what a lower directory of that name is, but for its time, which is now. A hard link names what its own
  // layer brings and sets owner,
  // mode and time. A device 0:0 is a whiteout. The root directory has no entry and no opaque marker. Times
  // are
  // kept_time().
  overlay
};

struct ApplyOptions {
  // The most bytes that all layers together may have, as tar archives and as the files they make.
  std::uint64_t max_size = std::numeric_limits<std::uint64_t>::max();
  Reading reading = Reading::tree;
  bool over_others = false;  // the root holds the layers below already
  sys::Cancellation cancel = {};
};

// Unpacks layers into one root, the lowest first:
//   Whiteouts and opaque markers hide what lower layers put there, never what their own layer brings,
//   wherever in it they stand. Members become what MemberWriter makes of them; a directory keeps its time
//   whatever later happens in it. Missing parents are made with mode 0755. Links resolve inside the root.
//   Names without meaning (above the root, whiteouts of "..") are errors, and so are names longer than
//   PATH_MAX allows.
// Throws util::Error, also as sys::Cancellation::check does. After any Error what is in the root is of no
// use.
class Applier {
public:
  // `root` is empty, if `options` do not say otherwise, and outlives the applier.
  explicit Applier(sys::RootedDir& root, ApplyOptions options = {});

  // One layer, an uncompressed tar archive that is read to its very end. `what` names it in errors about the
  // archive.
  void apply(stream::Source& archive, const std::string& what);

  // To be called after the last layer: sets what must come last.
  void finish();

  Report report() const;

private:
  // Of a layer that is read as a tree of its own, over others.
  struct Upper {
    // Whiteouts are sockets while the layer stands alone, since no member can be one; so is the marker of an
    // opaque directory, by its usual name.
    PathSet described;  // directories with an entry of their own
    PathSet marked;     // directories with such sockets, and all above them
  };

  void read_members(stream::Source& archive, const std::string& what);
  void apply_overlay_member(const tar::Entry& entry, tar::Reader& reader, const std::string& path);
  void add_marker(const sys::RootedPath& place);
  void apply_over_others(stream::Source& archive, const std::string& what);
  void merge(Applier& upper, const sys::RootedPath& directory);
  void merge_directory(Applier& upper, const sys::RootedPath& place);
  void drop_markers(const Applier& upper, const sys::RootedPath& directory);

  // True if the member is no ordinary one and is dealt with.
  bool apply_whiteout(const std::string& path);
  void apply_member(const tar::Entry& entry, tar::Reader& reader, const std::string& path);

  void hide(const sys::RootedPath& place);
  void hide_below(const sys::RootedPath& directory);
  void mark_written(const sys::RootedPath& place);
  bool is_written(const sys::RootedPath& place) const;
  void count_size(std::uint64_t size);

  sys::RootedDir& root_;
  ApplyOptions options_;
  MemberWriter members_;
  std::uint64_t count_ = 0;  // of members
  std::uint64_t bytes_ = 0;
  bool lowest_ = true;
  std::uint64_t archive_left_;  // of max_size, for the bytes of archives

  std::optional<Upper> upper_;
  PathSet written_;  // the places that the layer at hand wrote, with all their parents
};

}  // namespace layer
