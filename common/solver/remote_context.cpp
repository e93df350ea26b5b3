// The sources of ADD, before there is a plan.
#include "common/solver/remote_context.hpp"

#include <sys/stat.h>

#include <utility>

#include "common/plan/cache_key.hpp"
#include "common/solver/fetch_op.hpp"
#include "common/solver/git_op.hpp"
#include "common/solver/source_tree.hpp"
#include "common/solver/unpack_archive.hpp"
#include "common/sys/file.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/text.hpp"

namespace solver {
namespace {

RemoteContext check_out_context(const plan::Git& git, Workshop& workshop, engine::Progress::Vertex& vertex) {
  GitRemote remote(git, workshop.steps().secrets, workshop.steps().ssh, workshop.cancel,
                   [&](std::string_view text) { vertex.write(text); });
  const auto revision = find_revision(git, remote);
  auto checkout =
      check_out(git, revision, Fetching::if_changed, remote, workshop.trees, workshop.cache, workshop.cancel);
  return {.files = {.directory = std::move(checkout.change.tree),
                    .identity = plan::repository_identity(git, revision.ref, revision.commit),
                    .commit = revision.target},
          .was_there = checkout.was_there,
          .held = std::move(checkout.change.held)};
}

RemoteContext download_context(const plan::Http& http, Workshop& workshop) {
  const auto change = fetch(http, Fetching::if_changed, workshop.trees, workshop.cache, workshop.cancel);
  const auto directory = workshop.trees.new_path();
  sys::make_directory(directory, 0755);
  auto root = sys::RootedDir::open(directory);
  if (unpack_archive(*root_source(change.tree), http.file_name, root, "/", std::nullopt, workshop.cancel))
    return {.files = {directory, plan::unpacked_identity(change.identity.value()), ""}};
  return {.files = {change.tree, change.identity.value(), ""}, .is_one_file = true};
}

}  // namespace

RemoteContext fetch_context(const ContextSource& source, Workshop& workshop,
                            engine::Progress::Vertex& vertex) {
  if (const auto* git = std::get_if<plan::Git>(&source)) return check_out_context(*git, workshop, vertex);
  return download_context(std::get<plan::Http>(source), workshop);
}

std::optional<std::string> read_within(const std::filesystem::path& directory, const std::string& path) {
  const auto tree = root_source(directory);
  const auto place = follow(*tree, path);
  const auto status = tree->status(place);
  if (!status || !S_ISREG(status->st_mode)) return std::nullopt;
  return sys::read_to_end(tree->open(place).get(), util::quote(place));
}

}  // namespace solver
