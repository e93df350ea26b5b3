// BuildKit's rules: solver/llbsolver/provenance/capture.go.
#include "common/attest/sources.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "common/dockerfile/remote.hpp"
#include "common/image/reference.hpp"
#include "common/util/error.hpp"
#include "common/util/text.hpp"

namespace attest {
namespace {

// Name and tag, whatever the digest: what two ways to ask for one image have in common.
std::string tagged_name(const std::string& name, bool& has_digest) {
  auto reference = image::Reference::parse(name).value();
  has_digest = !reference.digest.empty();
  reference.digest.clear();
  if (reference.tag.empty()) reference.tag = "latest";
  return reference.full();
}

class Collector {
public:
  Collector(const solver::Pins& pins, const FindImage& find_image) : pins_(pins), find_image_(find_image) {}

  void add(plan::OpId id, const plan::Op& op) {
    if (const auto* pull = std::get_if<plan::Pull>(&op.action)) add(find_image_(*pull));
    if (const auto* local = std::get_if<plan::Local>(&op.action))
      locals_.insert(local->dockerfile.empty() ? "context-" + local->name : local->name);
    if (const auto* git = std::get_if<plan::Git>(&op.action)) add_git(id, *git);
    if (const auto* http = std::get_if<plan::Http>(&op.action)) add_download(id, *http);
    if (const auto* run = std::get_if<plan::Run>(&op.action)) add_accesses(*run);
  }

  void add(ImageSource image) {
    const auto key = std::tuple(image.name, image.platform.str());
    images_.try_emplace(key, std::move(image));
  }

  Sources take() {
    Sources sources;
    std::set<std::string> tagged;
    for (const auto& [key, image] : images_) {
      bool has_digest = false;
      const auto name = tagged_name(image.name, has_digest);
      if (!has_digest) tagged.insert(name);
    }
    for (const auto& [key, image] : images_) {
      bool has_digest = false;
      const auto name = tagged_name(image.name, has_digest);
      if (has_digest && tagged.contains(name)) continue;
      sources.materials.push_back(
          {package_url(image.origin, image.name, image.platform), "sha256", image.digest.hex()});
    }
    for (const auto* found : {&repositories_, &downloads_}) {
      for (const auto& [uri, material] : *found)
        sources.materials.push_back(material);
    }
    sources.locals.assign(locals_.begin(), locals_.end());
    for (const auto& [id, optional] : secrets_)
      sources.secrets.push_back({id, optional});
    for (const auto& [id, optional] : ssh_)
      sources.ssh.push_back({id, optional});
    return sources;
  }

private:
  void add_git(plan::OpId id, const plan::Git& git) {
    const auto remote = dockerfile::without_login(git.remote);
    const auto uri = git.ref.empty() ? remote : remote + "#" + git.ref;
    const auto pin = pins_.find(id);
    if (pin == pins_.end()) throw util::Error("nobody knows which commit " + util::quote(uri) + " was");
    repositories_.try_emplace(uri, Material{uri, pin->second.size() == 64 ? "sha256" : "sha1", pin->second});
    if (git.remote.starts_with("https://") || git.remote.starts_with("http://")) {
      add_access(secrets_, "GIT_AUTH_HEADER", true);
      add_access(secrets_, "GIT_AUTH_TOKEN", true);
    } else {
      add_access(ssh_, "default", true);
    }
  }

  void add_download(plan::OpId id, const plan::Http& http) {
    const auto uri = dockerfile::without_login(http.url);
    Material material{uri, "sha256", {}};
    if (const auto pin = pins_.find(id); pin != pins_.end()) {
      material.hex = pin->second;
    } else {  // what the checksum says stands in the cache, and nobody has asked for more
      const auto text = http.checksum.value().str();
      material.algorithm = text.substr(0, text.find(':'));
      material.hex = http.checksum->hex;
    }
    downloads_.try_emplace(uri, std::move(material));
  }

  void add_accesses(const plan::Run& run) {
    for (const auto& mount : run.mounts) {
      const auto& options = mount.options;
      if (options.type == dockerfile::MountType::secret) add_access(secrets_, options.id, !options.required);
      if (options.type == dockerfile::MountType::ssh)
        add_access(ssh_, options.id.empty() ? "default" : options.id, !options.required);
    }
  }

  static void add_access(std::map<std::string, bool>& accesses, const std::string& id, bool optional) {
    auto& known = accesses.try_emplace(id, true).first->second;
    known = known && optional;
  }

  const solver::Pins& pins_;
  const FindImage& find_image_;
  std::map<std::tuple<std::string, std::string>, ImageSource> images_;  // by name and platform
  std::map<std::string, Material> repositories_;                        // by address, as what follows
  std::map<std::string, Material> downloads_;
  std::set<std::string> locals_;
  std::map<std::string, bool> secrets_;  // whether all that ask for it do without
  std::map<std::string, bool> ssh_;
};

}  // namespace

std::optional<plan::OpId> top_of(const plan::ImageRecipe& recipe) {
  auto top = recipe.base;
  for (const auto& entry : recipe.history) {
    if (entry.layer) top = entry.layer;
  }
  return top;
}

std::vector<plan::OpId> ops_below(const plan::Graph& graph, const plan::ImageRecipe& recipe) {
  std::set<plan::OpId> seen;
  std::vector<plan::OpId> open;
  if (recipe.base) open.push_back(*recipe.base);
  for (const auto& entry : recipe.history) {
    if (entry.layer) open.push_back(*entry.layer);
  }
  while (!open.empty()) {
    const auto id = open.back();
    open.pop_back();
    if (!seen.insert(id).second) continue;
    const auto inputs = plan::inputs(graph.ops[id]);
    open.insert(open.end(), inputs.begin(), inputs.end());
  }
  return {seen.begin(), seen.end()};
}

Sources sources_of(const plan::Graph& graph, const plan::ImageRecipe& recipe, const solver::Pins& pins,
                   const FindImage& find_image, const std::optional<ImageSource>& scanner) {
  Collector collector(pins, find_image);
  if (scanner) collector.add(*scanner);
  for (const auto id : ops_below(graph, recipe))
    collector.add(id, graph.ops[id]);
  return collector.take();
}

}  // namespace attest
