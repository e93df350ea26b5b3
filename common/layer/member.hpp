// One member of a tar archive as a file, for all who write members into a root.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/layer/path_set.hpp"
#include "common/sys/cancellation.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/tar/reader.hpp"

namespace layer {

// What could not be kept of some members, for want of rights or because the filesystem cannot.
struct Loss {
  std::uint64_t count = 0;
  std::string example;  // the first one, as a path inside the root
  std::string reason;
};

struct Losses {
  Loss devices;             // device nodes left out
  Loss owners;              // members that belong to who runs this instead
  Loss xattrs;              // extended attributes left out
  std::uint64_t marks = 0;  // device nodes that are files which stand for them (sys::DeviceMarks)

  // True if the files on disk are all that was said of them.
  bool is_whole() const noexcept { return devices.count + owners.count + xattrs.count + marks == 0; }
};

// What those whom we agree with make differently of members.
struct MemberPolicy {
  enum class Links {
    names,    // a hard link is one more name and nothing else
    members,  // it sets owner, attributes, mode and time as any other member
  };
  enum class Replaced {
    last,   // what has the name of a hard link stays until its target is found; one to itself changes nothing
    first,  // it is gone before, so that a link to itself has no target
  };
  enum class Directories {
    as_described,  // one that is there loses the attributes that its member does not name; times are set at
                   // once, by a root that keeps them
    added_to,      // it keeps its attributes; times are set when all is done, by finish()
  };
  enum class Refused {
    counted,  // owners and devices that we may not set or make are losses
    error,
  };

  Links links;
  Replaced replaced;
  Directories directories;
  Refused refused;
  bool keeps_all_times;           // else kept_time()
  bool times_of_linked_symlinks;  // are set by the link, where it is a member
  bool stands_alone;  // the root holds its archive alone, and sockets, which are the caller's marks
};

// Layers as one tree that each of them changes.
inline constexpr MemberPolicy umoci_members = {.links = MemberPolicy::Links::names,
                                               .replaced = MemberPolicy::Replaced::last,
                                               .directories = MemberPolicy::Directories::as_described,
                                               .refused = MemberPolicy::Refused::counted,
                                               .keeps_all_times = true,
                                               .times_of_linked_symlinks = false,
                                               .stands_alone = false};

// Layers as trees of their own.
inline constexpr MemberPolicy containerd_members = {.links = MemberPolicy::Links::members,
                                                    .replaced = MemberPolicy::Replaced::last,
                                                    .directories = MemberPolicy::Directories::as_described,
                                                    .refused = MemberPolicy::Refused::counted,
                                                    .keeps_all_times = false,
                                                    .times_of_linked_symlinks = true,
                                                    .stands_alone = true};

// ADD of an archive, which BuildKit unpacks by Docker's code.
inline constexpr MemberPolicy docker_members = {.links = MemberPolicy::Links::members,
                                                .replaced = MemberPolicy::Replaced::first,
                                                .directories = MemberPolicy::Directories::added_to,
                                                .refused = MemberPolicy::Refused::error,
                                                .keeps_all_times = false,
                                                .times_of_linked_symlinks = false,
                                                .stands_alone = false};

struct MemberOwner {
  uid_t uid = 0;
  gid_t gid = 0;
};

// Makes members. One replaces what has its name, but a directory on a directory only changes its metadata.
// Owner, extended attributes (without "trusted.", as in containerd), mode and time are set as the member
// says; holes of sparse files stay holes. Names without meaning (a link to nothing) are errors, and so are
// ids and numbers of devices that Linux cannot have. Throws util::Error, also as sys::Cancellation::check
// does.
class MemberWriter {
public:
  // `root` lives longer. With an `owner` all members belong to it, whatever they say.
  MemberWriter(sys::RootedDir& root, const MemberPolicy& policy, sys::Cancellation cancel = {},
               std::optional<MemberOwner> owner = {});

  // At `place`, whose parents are there. `reader` is at the member.
  void put(const tar::Entry& entry, tar::Reader& reader, const sys::RootedPath& place);

  // What is there goes, with everything below it.
  void remove(const sys::RootedPath& place);

  // Of a directory, which finish() closes to us where we could not work in it any more.
  void set_directory_mode(const sys::RootedPath& place, mode_t mode);

  // What another one has left to its finish(), for a root whose directories have come into this one.
  void adopt_modes(const MemberWriter& other);

  // To be called after the last member: sets what must come last.
  void finish();

  const Losses& losses() const noexcept { return losses_; }
  void set_losses(const Losses& losses) { losses_ = losses; }

private:
  void make_directory(const tar::Entry& entry, const sys::RootedPath& place, bool there);
  void make_file(const tar::Entry& entry, tar::Reader& reader, const sys::RootedPath& place);
  void make_hard_link(const tar::Entry& entry, const sys::RootedPath& place, bool there);
  void make_node(const tar::Entry& entry, const sys::RootedPath& place);
  void write_content(int fd, const tar::Entry& entry, tar::Reader& reader, const std::string& what);
  void set_owner_and_xattrs(const tar::Entry& entry, const sys::RootedPath& place);
  void drop_other_xattrs(const tar::Entry& entry, const sys::RootedPath& place);
  timespec time_of(const tar::Entry& entry) const;

  sys::RootedDir& root_;
  const MemberPolicy& policy_;
  sys::Cancellation cancel_;
  std::optional<MemberOwner> owner_;
  Losses losses_;
  bool unrestricted_;  // modes of directories do not keep us out
  std::vector<std::byte> buffer_;
  PathSet missing_devices_;
  std::map<std::string, std::pair<sys::RootedPath, mode_t>>
      late_modes_;                                                // of directories that would keep us out
  std::vector<std::pair<sys::RootedPath, timespec>> late_times_;  // of directories, in the members' order
};

}  // namespace layer
