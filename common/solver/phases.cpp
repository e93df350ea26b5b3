// What each phase of an op does.
#include <algorithm>
#include <utility>

#include "common/context/tree.hpp"
#include "common/image/chain.hpp"
#include "common/plan/cache_key.hpp"
#include "common/solver/fetch_op.hpp"
#include "common/solver/sent_files.hpp"
#include "common/solver/solving.hpp"
#include "common/util/error.hpp"

namespace solver {
namespace {

// That its files are of; empty if they are of none.
std::string commit_of(const Node& node) {
  if (const auto* context = std::get_if<plan::Fetched>(&node.op.action)) return context->commit;
  return node.revision ? node.revision->target : std::string();
}

bool believes_others(const Node& node) {
  return std::any_of(node.reads.begin(), node.reads.end(), [](const Read& read) { return read.is_hearsay; });
}

}  // namespace

Solve::Needs Solve::resolve(plan::OpId id) {
  auto& node = nodes_[id];
  if (const auto* pull = std::get_if<plan::Pull>(&node.op.action)) {
    if (workshop_.cache != nullptr) look_up(node, *pull);
  } else if (const auto* local = std::get_if<plan::Local>(&node.op.action)) {
    open_local(id, *local);
  } else if (std::holds_alternative<plan::Scratch>(node.op.action)) {
    node.chain = image::empty_chain();
  } else if (workshop_.cache != nullptr && base_of(node.op)) {
    return resolve_step(id);
  } else if (const auto* http = std::get_if<plan::Http>(&node.op.action)) {
    if (workshop_.cache != nullptr && !node.op.ignore_cache)
      node.is_current = is_current(*http, *workshop_.cache, node.identity, workshop_.cancel);
    if (node.is_current) node.content = kept_content(*http, *workshop_.cache);
  } else if (const auto* git = std::get_if<plan::Git>(&node.op.action)) {
    look_up(node, *git);
  }
  return {};
}

void Solve::look_up(Node& node, const plan::Pull& pull) {
  display_.located(node.op, [&] {
    workshop_.images.look_up(pull.reference, pull.platform);
    const auto& image = workshop_.images.image(pull.reference, pull.platform);
    node.chain = image::chain_id(image.config.diff_ids);
    const auto name = workshop_.images.pinned(pull.reference, pull.platform);
    node.image = hash::Digest::parse(name.substr(name.rfind('@') + 1));
    workshop_.cache->keep_image(*node.chain, *node.image);
  });
}

void Solve::look_up(Node& node, const plan::Git& git) {
  std::string said;
  try {
    GitRemote remote(git, workshop_.steps().secrets, workshop_.steps().ssh, workshop_.cancel,
                     [&](std::string_view text) { said += text; });
    node.revision = find_revision(git, remote);
  } catch (const util::Error& error) {
    if (only_looks_ && !error.is_cancelled()) return;  // what is wrong the build says
    display_.fail(node.op, error, said);
  }
  node.identity = plan::repository_identity(git, node.revision->ref, node.revision->commit);
}

Solve::Needs Solve::resolve_step(plan::OpId id) {
  auto& node = nodes_[id];
  Needs needs;
  for (const plan::OpId input : plan::inputs(node.op))
    need(input, Phase::resolve, needs);
  if (!needs.empty()) return needs;
  const auto wanted = reads_of(node.op);
  display_.located(node.op, [&] {
    while (node.reads.size() < wanted.size() && needs.empty() && !node.awaits)
      add_read(node, wanted[node.reads.size()], needs);
  });
  if (!needs.empty()) return needs;
  const auto& base = nodes_[*base_of(node.op)];
  if (node.op.ignore_cache) {
    node.reason = "NO_CACHE";
  } else if (!node.awaits && (base.chain || is_independent(node.op))) {
    const auto parts = key_parts(node, base.chain.value_or(image::empty_chain()), workshop_);
    node.found = workshop_.cache->find(node.op, parts, node.reads);
    if (!node.found && !believes_others(node))
      node.reason = workshop_.cache->reason(node.op, parts, node.reads);
  }
  if (!node.found && believes_others(node)) {
    // It is to be made, which needs the files anyway: a key that others chose would be found by later builds.
    node.looks_itself = true;
    node.reads.clear();
    return resolve_step(id);
  }
  node.image = base.image;
  if (node.found && base.chain) {
    node.chain = image::chain_on(*base.chain, node.found->diff_id);
    keep_image_of(node, *node.chain);
  }
  return {};
}

// A layer that is found on any base does not say itself which one it is on.
void Solve::keep_image_of(const Node& node, const hash::Digest& chain) {
  if (is_independent(node.op) && node.image) workshop_.cache->keep_image(chain, *node.image);
}

std::optional<Read> Solve::known_read(const Node& node, const WantedRead& wanted,
                                      const hash::Digest& selection) {
  auto known = workshop_.cache->content(selection);
  const bool is_hearsay = !known && !node.looks_itself;
  if (is_hearsay) known = workshop_.cache->content_by_hearsay(selection);
  if (!known) return std::nullopt;
  return Read{.shown = wanted.path, .digest = *known, .listing = std::nullopt, .is_hearsay = is_hearsay};
}

void Solve::add_read(Node& node, const WantedRead& wanted, Needs& needs) {
  const auto& from = nodes_[wanted.from];
  const auto add = [&](Read read) {
    read.commit = commit_of(from);
    if (!read.commit.empty()) workshop_.cache->keep_commit(read.digest, read.commit);
    node.reads.push_back(std::move(read));
  };
  std::optional<hash::Digest> selection;
  const auto find_known = [&](const std::optional<hash::Digest>& identity) {
    if (identity) selection = wanted.identity(*identity);
    auto known = selection ? known_read(node, wanted, *selection) : std::nullopt;
    if (known) add(std::move(*known));
    return known.has_value();
  };
  if (find_known(identity_of(from, from.chain))) return;
  if (only_looks_ && is_out_of_sight(wanted.from)) {
    node.awaits = wanted.from;
    return;
  }
  need_filesystem(wanted.from, needs);
  if (!needs.empty()) return;
  // What was fetched now has a name at last.
  if (!selection && find_known(from.change.identity)) return;
  auto content = wanted.content(filesystem(wanted.from), workshop_.trees.snapshotter(), workshop_.cancel);
  if (selection) workshop_.cache->keep_content(*selection, content.digest);
  add({.shown = wanted.path, .digest = std::move(content.digest), .listing = std::move(content.listing)});
}

void Solve::open_local(plan::OpId id, const plan::Local& local) {
  auto& node = nodes_[id];
  display_.work(node.op, [&](engine::Progress::Vertex& vertex, const auto& begin) {
    auto ignore = load_ignore(local);
    begin();
    auto files = std::make_shared<context::Tree>(local.directory, std::move(ignore));
    std::shared_ptr<SourceTree> tree =
        context_source(std::move(files), workshop_.cache != nullptr ? workshop_.cache->seals() : nullptr);
    auto sent = sent_files(tree, sources_in(graph_.ops, id));
    if (const auto size = sent->size(""))
      vertex.note("transferring context: " + engine::decimal_size(*size) + " done");
    node.files = LocalFiles{local.name, std::move(tree), std::move(sent)};
    return false;
  });
  require_files_of(id, *node.files);
}

context::Ignore Solve::load_ignore(const plan::Local& local) {
  engine::Progress::Vertex vertex(workshop_.progress, local.dockerfile.empty()
                                                          ? "[context " + local.name + "] load .dockerignore"
                                                          : "[internal] load .dockerignore");
  vertex.start();
  auto ignore = context::load_ignore(local.directory, local.dockerfile);
  vertex.done();
  return ignore;
}

Solve::Needs Solve::make(plan::OpId id) {
  auto& node = nodes_[id];
  Needs needs;
  need(id, Phase::resolve, needs);
  if (!needs.empty()) return needs;
  if (node.found) {
    need_filesystem(*base_of(node.op), needs);
    if (!needs.empty()) return needs;
    node.change = unpack(*node.found, filesystem(*base_of(node.op)).stack, workshop_.trees, *workshop_.cache,
                         workshop_.cancel);
    return needs;
  }
  for (const plan::OpId input : inputs_to_make(node.op))
    need_filesystem(input, needs);
  if (!needs.empty()) return needs;
  for (const plan::OpId input : plan::inputs(node.op))
    show_cached(input);
  carry_out(node);
  if (base_of(node.op) && workshop_.cache != nullptr) task(id, Phase::keep);
  return {};
}

void Solve::carry_out(Node& node) {
  const auto inputs = inputs_of(node.op);
  if (node.op.title.empty()) {
    node.change = solver::carry_out(node, inputs, workshop_, nullptr).change;
  } else {
    node.tag = display_.work(node.op, [&](engine::Progress::Vertex& vertex, const auto& begin) {
      // What an image is is shown apart, and takes its own time.
      if (const auto* pull = std::get_if<plan::Pull>(&node.op.action))
        workshop_.images.look_up(pull->reference, pull->platform);
      begin();
      if (const auto reason = reason_of(node); !reason.empty()) vertex.note("not cached: " + reason);
      auto made = solver::carry_out(node, inputs, workshop_, &vertex);
      node.change = std::move(made.change);
      return made.was_there;
    });
  }
  node.created = util::Date::now();
}

std::string Solve::reason_of(const Node& node) const {
  if (workshop_.cache == nullptr || !base_of(node.op) || !node.reason.empty()) return node.reason;
  return "follows " + nodes_[not_found_below(*base_of(node.op))].tag;
}

Solve::Needs Solve::settle(plan::OpId id) {
  Needs needs;
  need(id, Phase::resolve, needs);
  if (needs.empty() && !nodes_[id].found) need(id, Phase::make, needs);
  return needs;
}

Solve::Needs Solve::pack(plan::OpId id) {
  auto& node = nodes_[id];
  Needs needs;
  need(id, Phase::make, needs);
  if (!needs.empty()) return needs;
  const auto begin = std::chrono::steady_clock::now();
  try {
    std::optional<snapshot::Stack> below;
    if (!is_independent(node.op)) below = filesystem(*base_of(node.op)).stack;
    node.built = packing_.pack(std::to_string(id), node.change, below ? &*below : nullptr);
  } catch (const util::Error& error) {
    if (!display_.is_stopped(error)) packing_progress_.failed(error.what());
    throw;
  }
  node.built->created = node.created;
  node.built->description = plan::description(node.op);
  packing_progress_.done(*node.built, std::chrono::steady_clock::now() - begin);
  return {};
}

Solve::Needs Solve::keep(plan::OpId id) {
  auto& node = nodes_[id];
  Needs needs;
  if (!node.chain) {
    for (const plan::OpId input : plan::inputs(node.op)) {
      if (base_of(nodes_[input].op)) need(input, Phase::keep, needs);
    }
    if (!node.found) need(id, Phase::pack, needs);
  }
  if (!needs.empty()) return needs;
  if (node.chain) return {};
  const auto base = chain_of(*base_of(node.op));
  const auto& diff_id = node.found ? node.found->diff_id : node.built->packed.diff_id;
  if (base) {
    node.made_chain = image::chain_on(*base, diff_id);
    keep_image_of(node, *node.made_chain);
  }
  if (!node.found && (base || is_independent(node.op))) keep_step(node, base);
  return {};
}

std::optional<hash::Digest> Solve::chain_of(plan::OpId id) const {
  return nodes_[id].chain ? nodes_[id].chain : nodes_[id].made_chain;
}

void Solve::keep_step(Node& node, const std::optional<hash::Digest>& base) {
  const auto wanted = reads_of(node.op);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (const auto identity = identity_of(nodes_[wanted[i].from], chain_of(wanted[i].from)))
      workshop_.cache->keep_content(wanted[i].identity(*identity), node.reads[i].digest);
  }
  const auto& packed = node.built->packed;
  if (!packed.is_whole || node.built->is_own) return;
  workshop_.cache->keep(node.op,
                        {.diff_id = packed.diff_id,
                         .blob = {packed.blob.digest, packed.blob.size},
                         .media_type = packed.blob.media_type,
                         .removes = packed.removes,
                         .created = node.created,
                         .parts = key_parts(node, base.value_or(image::empty_chain()), workshop_)},
                        node.reads);
  node.reads.clear();
}

Solve::Needs Solve::give(plan::OpId id) {
  auto& node = nodes_[id];
  Needs needs;
  need(id, Phase::settle, needs);
  if (needs.empty() && !node.found) need(id, Phase::pack, needs);
  if (!needs.empty()) return needs;
  auto layer = node.found ? packing_.from_cache(*node.found) : *node.built;
  layer.description = plan::description(node.op);
  layer = packing_.for_image(std::to_string(id), std::move(layer));
  const std::lock_guard lock(mutex_);
  layers_.emplace(id, std::move(layer));
  return {};
}

Solve::Needs Solve::fetch_base(plan::OpId id) {
  // Unpacking brings the blobs too, and shows them better. With a cache it is known at the end whether
  // anybody needs that.
  Needs needs;
  if (workshop_.cache != nullptr) {
    for (const plan::OpId top : tops_)
      need(top, Phase::settle, needs);
  } else if (is_to_be_made(id)) {
    need(id, Phase::make, needs);
  }
  if (!needs.empty()) return needs;
  const auto& pull = std::get<plan::Pull>(graph_.ops[id].action);
  workshop_.images.fetch(pull.reference, pull.platform);
  return {};
}

bool Solve::is_to_be_made(plan::OpId id) const {
  return std::any_of(needed_.begin(), needed_.end(), [&](const plan::OpId reader) {
    const auto inputs = inputs_to_make(graph_.ops[reader]);
    return std::find(inputs.begin(), inputs.end(), id) != inputs.end();
  });
}

void Solve::require_files_of(plan::OpId local, const LocalFiles& files) {
  for (auto id = needed_.rbegin(); id != needed_.rend(); ++id) {
    const auto& op = graph_.ops[*id];
    try {
      require_sources(op, local, files, workshop_.cancel);
    } catch (const util::Error& error) {
      display_.fail(op, error);
    }
  }
}

}  // namespace solver
