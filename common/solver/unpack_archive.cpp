// Archives in ADD.
#include "common/solver/unpack_archive.hpp"

#include "common/layer/member.hpp"
#include "common/layer/member_path.hpp"
#include "common/solver/directories.hpp"
#include "common/stream/decompressed.hpp"
#include "common/tar/reader.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace solver {
bool unpack_archive(SourceTree& tree, const std::string& path, sys::RootedDir& root,
                    const std::string& destination, const std::optional<sandbox::Owner>& owner,
                    const sys::Cancellation& cancel) {
  const auto status = tree.status(path);
  if (!status || !S_ISREG(status->st_mode)) return false;
  const std::string what = util::quote("/" + path);
  const auto content = stream::decompressed(stream::from_fd(tree.open(path), what), what);
  tar::Reader reader(*content, what);
  tar::Entry entry;
  // What is no archive shows at its first header.
  try {
    if (!reader.next(entry)) return false;
  } catch (const util::Error& error) {
    if (!error.is_damage() && error.cause().kind != util::Cause::Kind::refused) throw;
    return false;
  }
  // Links in the archive mean what they mean with the destination as the root.
  const auto directory =
      make_directories(*directory_target(root), destination, default_directory_mode, owner);
  auto inside = root.inside(directory);
  layer::MemberWriter members(
      inside, layer::docker_members, cancel,
      owner ? std::optional(layer::MemberOwner{owner->uid, owner->gid}) : std::nullopt);
  do {
    cancel.check();
    const auto name = layer::member_path(entry.path);
    if (!name.empty())
      members.put(entry, reader, inside.find_or_make_parents(name));  // the root stays as it is
  } while (reader.next(entry));
  members.finish();
  return true;
}

}  // namespace solver
