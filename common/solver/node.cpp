// What each kind of op is to the solver.
#include "common/solver/node.hpp"

#include <unistd.h>

#include <variant>

#include "common/layer/apply.hpp"
#include "common/layer/unpack.hpp"
#include "common/solver/fetch_op.hpp"
#include "common/solver/git_op.hpp"
#include "common/solver/run_op.hpp"
#include "common/sys/paths.hpp"
#include "common/sys/rooted_dir.hpp"
#include "common/util/error.hpp"
#include "common/util/full_disk.hpp"

namespace solver {

namespace {

// The owner of the root directory lasts from step to step; one of a shared tree is ours.
bool has_our_owner(const snapshot::Stack& stack) {
  if (stack.trees.empty()) return true;
  const auto status = sys::find_status(stack.trees.back(), sys::Links::followed);
  return status && status->st_uid == ::geteuid() && status->st_gid == ::getegid();
}

}  // namespace

std::optional<plan::OpId> base_of(const plan::Op& op) {
  if (const auto* copy = std::get_if<plan::Copy>(&op.action)) return copy->base;
  if (const auto* directory = std::get_if<plan::MakeDirectory>(&op.action)) return directory->base;
  if (const auto* run = std::get_if<plan::Run>(&op.action)) return run->root;
  return std::nullopt;
}

bool is_independent(const plan::Op& op) {
  const auto* copy = std::get_if<plan::Copy>(&op.action);
  return copy != nullptr && copy->link;
}

std::vector<plan::OpId> inputs_to_make(const plan::Op& op) {
  auto inputs = plan::inputs(op);
  // The base is the first of them.
  if (is_independent(op)) inputs.erase(inputs.begin());
  return inputs;
}

std::vector<WantedRead> reads_of(const plan::Op& op) {
  std::vector<WantedRead> reads;
  if (const auto* copy = std::get_if<plan::Copy>(&op.action)) {
    for (const auto& source : copy->sources)
      reads.push_back({.from = source.from, .path = source.path, .copy = copy, .source = &source});
  } else if (const auto* run = std::get_if<plan::Run>(&op.action)) {
    for (const auto& mount : run->mounts) {
      if (mount.from) reads.push_back({.from = *mount.from, .path = mount.options.source, .mount = &mount});
    }
  }
  return reads;
}

hash::Digest WantedRead::identity(const hash::Digest& filesystem) const {
  return copy != nullptr ? plan::selection_identity(filesystem, *copy, *source)
                         : plan::selection_identity(filesystem, path);
}

Content WantedRead::content(const Filesystem& filesystem, snapshot::Snapshotter& snapshotter,
                            const sys::Cancellation& cancel) const {
  return copy != nullptr ? solver::content(*copy, *source, filesystem, snapshotter, cancel)
                         : solver::content(*mount, filesystem, snapshotter, cancel);
}

std::optional<hash::Digest> identity_of(const Node& node, const std::optional<hash::Digest>& chain) {
  if (const auto* file = std::get_if<plan::MakeFile>(&node.op.action)) return plan::file_identity(*file);
  if (const auto* context = std::get_if<plan::Fetched>(&node.op.action)) return context->identity;
  if (node.identity) return node.identity;
  return chain;
}

plan::KeyParts key_parts(const Node& node, const hash::Digest& base, const Workshop& workshop) {
  std::vector<hash::Digest> contents;
  for (const auto& read : node.reads)
    contents.push_back(read.digest);
  if (const auto* copy = std::get_if<plan::Copy>(&node.op.action))
    return plan::copy_key(*copy, base, contents);
  if (const auto* directory = std::get_if<plan::MakeDirectory>(&node.op.action))
    return plan::directory_key(*directory, base, workshop.epoch);
  std::vector<std::string> hosts;
  for (const auto& host : workshop.steps().hosts)
    hosts.push_back(host.host);
  return plan::run_key(std::get<plan::Run>(node.op.action), base, contents, hosts);
}

Made carry_out(const Node& node, const Inputs& inputs, Workshop& workshop, engine::Progress::Vertex* vertex) {
  struct Visitor {
    const Inputs& inputs;
    Workshop& workshop;
    Form form;
    Fetching fetching;
    const std::optional<GitRevision>& revision;
    engine::Progress::Vertex* vertex;

    Made operator()(const plan::Scratch&) const { return {}; }
    Made operator()(const plan::Local&) const { return {}; }
    Made operator()(const plan::Fetched& context) const {
      return {{.tree = context.directory, .identity = context.identity}};
    }
    Made operator()(const plan::Pull& pull) const {
      auto tree = workshop.images.tree(pull.reference, pull.platform, *vertex);
      return {.change = {.tree = std::move(tree.root)}, .was_there = tree.was_there};
    }
    Made operator()(const plan::MakeFile& file) const { return {make_file(file, workshop.trees)}; }
    Made operator()(const plan::Http& http) const {
      return {fetch(http, fetching, workshop.trees, workshop.cache, workshop.cancel),
              fetching == Fetching::from_store};
    }
    Made operator()(const plan::Git& git) const {
      GitRemote remote(git, workshop.steps().secrets, workshop.steps().ssh, workshop.cancel,
                       [this](std::string_view text) { vertex->write(text); });
      auto checkout =
          check_out(git, revision.value(), fetching, remote, workshop.trees, workshop.cache, workshop.cancel);
      return {std::move(checkout.change), checkout.was_there};
    }
    Made operator()(const plan::Copy& action) const {
      return {copy(action, inputs, form, workshop.trees, workshop.cancel)};
    }
    Made operator()(const plan::MakeDirectory& action) const {
      return {make_directory(action, inputs, workshop.trees, workshop.epoch)};
    }
    Made operator()(const plan::Run& action) const {
      return {run(action, inputs, workshop.trees, workshop.steps(), *vertex, workshop.cancel)};
    }
  };
  const auto form = node.is_read ? Form::tree : Form::layer;
  const auto fetching = node.is_current        ? Fetching::from_store
                        : node.op.ignore_cache ? Fetching::anew
                                               : Fetching::if_changed;
  return std::visit(Visitor{inputs, workshop, form, fetching, node.revision, vertex}, node.op.action);
}

namespace {

Change unpack_checked(const store::Step& step, const snapshot::Stack& below, Trees& trees, StepCache& cache,
                      const sys::Cancellation& cancel) {
  const image::Descriptor blob{
      .media_type = step.media_type, .digest = step.blob.digest, .size = step.blob.size};
  const auto unpack_into = [&](const std::filesystem::path& directory, const layer::ApplyOptions& options) {
    auto file = cache.open(step.blob);
    auto root = sys::RootedDir::open(directory);
    layer::Applier applier(root, options);
    const auto archive =
        layer::open_layer(stream::from_fd(std::move(file), "a layer of the cache"), blob, step.diff_id);
    applier.apply(*archive, "the layer " + blob.digest.str() + " of the cache");
    applier.finish();
    return applier.report().is_whole() ? store::Fidelity::whole : store::Fidelity::with_losses;
  };
  // What only adds is a tree like that of an image with this one layer, and serves later builds too.
  if (!cache.removes(step) && has_our_owner(below)) {
    return {.tree = cache.trees()
                        .get(step.diff_id, store::Bytes::here, cancel,
                             [&](const std::filesystem::path& root) {
                               return unpack_into(root,
                                                  {.reading = layer::Reading::overlay, .cancel = cancel});
                             })
                        .root};
  }
  const auto workspace = trees.snapshotter().open(below);
  unpack_into(workspace->root(), {.over_others = true, .cancel = cancel});
  return trees.commit(*workspace);
}

}  // namespace

// Layers of other workers may be anything, and the record of one would fail each build from now on.
Change unpack(const store::Step& step, const snapshot::Stack& below, Trees& trees, StepCache& cache,
              const sys::Cancellation& cancel) try {
  return unpack_checked(step, below, trees, cache, cancel);
} catch (const util::Error& error) {
  if (!error.is_cancelled() && !util::is_full_disk(error)) cache.refuse(step);
  throw;
}

void require_sources(const plan::Op& op, plan::OpId local, const LocalFiles& files,
                     const sys::Cancellation& cancel) {
  if (const auto* copy = std::get_if<plan::Copy>(&op.action)) require_sources(*copy, local, files, cancel);
  if (const auto* run = std::get_if<plan::Run>(&op.action)) require_sources(*run, local, files);
}

}  // namespace solver
