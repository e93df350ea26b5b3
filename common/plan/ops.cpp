#include "common/plan/ops.hpp"

#include <functional>
#include <string_view>
#include <utility>

namespace plan {
namespace {

// What tells most ops of a kind apart that have the same inputs.
std::string_view mark(const Action& action) {
  struct Visitor {
    std::string_view operator()(const Scratch&) const { return {}; }
    std::string_view operator()(const Pull& pull) const { return pull.reference; }
    std::string_view operator()(const Local& local) const { return local.name; }
    std::string_view operator()(const Fetched& context) const { return context.directory.native(); }
    std::string_view operator()(const MakeFile& file) const { return file.content; }
    std::string_view operator()(const Http& http) const { return http.url; }
    std::string_view operator()(const Git& git) const { return git.remote; }
    std::string_view operator()(const MakeDirectory& directory) const { return directory.path; }
    std::string_view operator()(const Copy& copy) const {
      return copy.sources.empty() ? copy.destination : copy.sources.front().path;
    }
    std::string_view operator()(const Run& run) const {
      return run.arguments.empty() ? std::string_view() : run.arguments.back();
    }
  };
  return std::visit(Visitor{}, action);
}

// Equal ops have the same one.
std::size_t fingerprint(const Op& op) {
  std::size_t hash = op.action.index();
  const auto add = [&](std::size_t part) { hash = hash * 1000003 + part; };
  for (const OpId input : inputs(op))
    add(input);
  add(std::hash<std::string_view>()(mark(op.action)));
  return hash;
}

}  // namespace

Git git_op(const dockerfile::GitSource& source) {
  return {.remote = source.remote,
          .ref = source.ref,
          .subdirectory = source.subdir,
          .checksum = source.checksum,
          .keep_git_dir = source.keep_git_dir.value_or(false),
          .submodules = source.submodules,
          .fetch_by_commit = source.fetch_by_commit};
}

OpId Ops::add(Op op) {
  const auto hash = fingerprint(op);
  const auto [begin, end] = known_.equal_range(hash);
  for (auto same = begin; same != end; ++same) {
    auto& known = ops_[same->second];
    if (known.action != op.action) continue;
    if (same->second >= first_of_platform_) {
      known.title = std::move(op.title);
      known.location = op.location;
    }
    return same->second;
  }
  known_.emplace(hash, ops_.size());
  ops_.push_back(std::move(op));
  return ops_.size() - 1;
}

OpId Ops::scratch() {
  return add({.action = Scratch{}, .title = {}});
}

OpId Ops::pull(const std::string& reference, const image::Platform& platform,
               const dockerfile::Location& place, std::string title) {
  return add({.action = Pull{.reference = reference, .platform = platform},
              .title = std::move(title),
              .location = place});
}

OpId Ops::local(const std::string& name, const std::filesystem::path& directory,
                const std::filesystem::path& dockerfile) {
  return add({.action = Local{.name = name, .directory = directory, .dockerfile = dockerfile},
              .title = dockerfile.empty() ? "[context " + name + "] load from client"
                                          : "[internal] load build context"});
}

OpId Ops::fetched(const Fetched& context) {
  return add({.action = context, .title = {}});
}

OpId Ops::inline_file(const dockerfile::InlineFile& file) {
  return add({.action = MakeFile{.name = file.name, .content = file.content}, .title = ""});
}

}  // namespace plan
