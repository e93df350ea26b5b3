// BuildKit's rules: frontend/attestations/sbom, exporter/attestation and
// exporter/containerimage/attestations.go.
#include "common/attest/sbom.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "common/attest/sources.hpp"
#include "common/layer/unpack.hpp"
#include "common/plan/image_config.hpp"
#include "common/stream/source.hpp"
#include "common/tar/reader.hpp"
#include "common/util/error.hpp"
#include "common/util/json.hpp"
#include "common/util/text.hpp"

namespace attest {
namespace {

using nlohmann::json;

constexpr std::string_view default_scanner = "docker/buildkit-syft-scanner:stable-1";
constexpr const char* output_directory = "/run/out";
constexpr const char* core_directory = "/run/src/core/sbom";
constexpr std::uint64_t most_bytes = 40 << 20;  // of one document

plan::Run::Mount mount(dockerfile::MountType type, const char* target, std::optional<plan::OpId> from) {
  dockerfile::Mount options;
  options.type = type;
  options.target = target;
  options.read_only = type == dockerfile::MountType::bind;
  return {.options = options, .from = from};
}

class ScanPlan {
public:
  ScanPlan(plan::Graph& graph, const Scanner& scanner, const std::string& config_json, bool no_cache)
      : graph_(graph),
        scanner_(scanner),
        config_(plan::ImageConfig::parse(config_json, "the config of the scanner")),
        no_cache_(no_cache) {
    const auto name = scanner.image.full();
    pull_ = add({.action = plan::Pull{.reference = name, .platform = image::Platform::host()},
                 .title = "FROM " + name});
    scratch_ = add({.action = plan::Scratch{}, .title = {}});
    root_ = add(
        {.action = plan::MakeDirectory{.base = pull_, .path = output_directory, .user = {}}, .title = {}});
  }

  // The op whose layer is what the scanner says of `recipe`.
  plan::OpId scan(const plan::ImageRecipe& recipe) {
    plan::Run run;
    run.root = root_;
    run.arguments = config_.entrypoint;
    run.arguments.insert(run.arguments.end(), config_.cmd.begin(), config_.cmd.end());
    if (run.arguments.empty())
      throw util::Error("scanner " + scanner_.image.full() + " does not have cmd; SBOM needs one that has");
    run.environment = config_.env;
    run.environment.push_back("BUILDKIT_SCAN_DESTINATION=" + std::string(output_directory) + "/");
    run.environment.push_back("BUILDKIT_SCAN_SOURCE=" + std::string(core_directory));
    for (const auto& [name, value] : scanner_.parameters)
      run.environment.push_back("BUILDKIT_SCAN_" + name + "=" + value);
    run.working_dir = config_.working_dir.empty() ? "/" : config_.working_dir;
    run.mounts.push_back(mount(dockerfile::MountType::tmpfs, "/tmp", std::nullopt));
    run.mounts.push_back(
        mount(dockerfile::MountType::bind, core_directory, top_of(recipe).value_or(scratch_)));
    run.platform = image::Platform::host();
    const auto ran = add({.action = std::move(run),
                          .title = "[" + recipe.platform.normalized().str() + "] generating sbom using " +
                                   scanner_.image.full(),
                          .ignore_cache = no_cache_});
    plan::Copy copy;
    copy.base = scratch_;
    copy.sources.push_back({.from = ran, .path = output_directory});
    copy.destination = "/";
    return add({.action = std::move(copy), .title = {}, .ignore_cache = no_cache_});
  }

private:
  plan::OpId add(plan::Op op) {
    graph_.ops.push_back(std::move(op));
    return graph_.ops.size() - 1;
  }

  plan::Graph& graph_;
  const Scanner& scanner_;
  plan::ImageConfig config_;
  bool no_cache_;
  plan::OpId pull_ = 0;
  plan::OpId scratch_ = 0;
  plan::OpId root_ = 0;
};

// Calls `take` with each member of a layer.
template <typename Take>
void for_each_member(const image::Descriptor& blob, const hash::Digest& diff_id, sys::UniqueFd file,
                     const Take& take) {
  const auto what = "the layer " + blob.digest.str();
  const auto archive = layer::open_layer(stream::from_fd(std::move(file), what), blob, diff_id);
  tar::Reader reader(*archive, what);
  for (tar::Entry entry; reader.next(entry);)
    take(entry, reader);
}

std::string clean(const std::string& path) {
  std::string name = path;
  while (name.starts_with("./") || name.starts_with('/'))
    name.erase(0, name.starts_with('/') ? 1 : 2);
  while (name.ends_with('/'))
    name.pop_back();
  return "/" + name;
}

std::string content_of(const tar::Entry& entry, tar::Reader& reader) {
  if (entry.size > most_bytes)
    throw util::Error(util::quote(entry.path) + " exceeds " + std::to_string(most_bytes) + " bytes");
  std::string content(entry.size, '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const auto count = reader.read(std::as_writable_bytes(std::span(content)).subspan(done));
    if (count == 0) break;
    done += count;
  }
  content.resize(done);
  return content;
}

// Finds the uppermost layer that has a file. A layer is looked at when it is first needed.
class LayerFinder {
public:
  explicit LayerFinder(const std::vector<ScannedLayer>& layers) : layers_(layers), left_(layers.size()) {}

  const image::Descriptor* find(const std::string& path) {
    const auto name = clean(path);
    auto found = places_.find(name);
    while (found == places_.end() && left_ > 0) {
      const auto& layer = layers_[--left_];
      for_each_member(layer.descriptor, layer.diff_id, layer.open(),
                      [&](const tar::Entry& entry, tar::Reader&) {
                        const auto member = clean(entry.path);
                        if (!member.substr(member.rfind('/') + 1).starts_with(".wh."))
                          places_.try_emplace(member, &layer.descriptor);
                      });
      found = places_.find(name);
    }
    return found == places_.end() ? nullptr : found->second;
  }

private:
  const std::vector<ScannedLayer>& layers_;
  std::size_t left_;  // that were not looked at: the lowest
  std::map<std::string, const image::Descriptor*> places_;
};

bool is_spdx(const json& predicate) {
  if (!predicate.is_object()) return false;
  const auto version = predicate.find("spdxVersion");
  return version != predicate.end() && version->is_string() &&
         version->get_ref<const std::string&>().starts_with("SPDX-2.");
}

void add_layers(json& files, LayerFinder& finder) {
  if (!files.is_array()) return;
  for (auto& file : files) {
    if (!file.is_object() || !file.contains("fileName") || !file["fileName"].is_string()) continue;
    // What stands there is the scanner's.
    if (file.contains("comment") && file["comment"] != "") continue;
    if (const auto* layer = finder.find(file["fileName"].get<std::string>()))
      file["comment"] = "layerID: " + layer->digest.str();
  }
}

void supplement(json& document, const std::vector<ScannedLayer>& layers, const std::string& tool) {
  LayerFinder finder(layers);
  if (document.contains("files")) add_layers(document["files"], finder);
  auto& info = document["creationInfo"];
  if (info.is_null() || info.is_object()) info["creators"].push_back("Tool: " + tool);
}

Statement statement_of(const std::string& name, const std::string& content, bool is_core,
                       const std::vector<ScannedLayer>& layers, const std::string& tool) {
  const auto what = "the scanner's file " + util::quote(name);
  auto document = util::parse_json(content, what);
  const util::JsonFields fields(document, what);
  const auto type = fields.optional_string("predicateType").value_or("");
  if (type != spdx_document) {
    throw util::Error("bundle entry " + util::escape(type) + " does not match required predicate type " +
                      std::string(spdx_document) + ": " + what);
  }
  json predicate = document.contains("predicate") ? document["predicate"] : json();
  if (is_core && !layers.empty() && is_spdx(predicate)) supplement(predicate, layers, tool);
  auto subjects = nlohmann::ordered_json::array();
  if (fields.has("subject")) {
    for (const auto& subject : document["subject"]) {
      const util::JsonFields about(subject, what);
      const auto given = about.optional_string("name").value_or("");
      nlohmann::ordered_json digests = nlohmann::ordered_json::object();
      if (about.has("digest")) digests = about.at("digest");
      subjects.push_back({{"name", given.empty() ? "_" : given}, {"digest", digests}});
    }
  }
  return make_statement(spdx_document, subjects, nlohmann::ordered_json(predicate));
}

}  // namespace

Scanner Scanner::parse(const document::Attributes& attributes) {
  auto values = attributes.values();
  const auto generator = values.find("generator");
  const std::string name = generator == values.end() ? std::string(default_scanner) : generator->second;
  if (name.empty()) throw util::Error("sbom generator cannot be empty; name an image");
  auto reference = image::Reference::parse(name);
  if (!reference)
    throw util::Error("failed to parse sbom generator " + util::quote(name) + "; use the name of an image");
  if (reference->tag.empty() && reference->digest.empty()) reference->tag = "latest";
  values.erase("generator");
  return {.image = std::move(*reference), .parameters = std::move(values)};
}

std::vector<std::vector<plan::OpId>> add_scans(plan::Graph& graph, const std::vector<bool>& is_exported,
                                               const Scanner& scanner, const std::string& config_json,
                                               bool no_cache) {
  ScanPlan scans(graph, scanner, config_json, no_cache);
  std::vector<std::vector<plan::OpId>> found(graph.targets.size());
  for (std::size_t i = 0; i < graph.targets.size(); ++i) {
    if (!is_exported[i]) continue;
    for (const auto& recipe : graph.targets[i].images)
      found[i].push_back(scans.scan(recipe));
  }
  return found;
}

std::vector<Statement> read_scan(const solver::BuiltLayer& written, const std::vector<ScannedLayer>& layers,
                                 const std::string& tool) {
  std::map<std::string, std::string> files;  // sorted by name, as a directory is read in Go
  for_each_member(written.packed.blob, written.packed.diff_id, written.open(),
                  [&](const tar::Entry& entry, tar::Reader& reader) {
                    const auto name = clean(entry.path).substr(1);
                    if (name.empty()) return;
                    if (entry.type != tar::Type::regular) {
                      throw util::Error(std::string(output_directory) + "/" + util::escape(name) +
                                        " is not a regular file; a scanner writes nothing else there");
                    }
                    files[name] = content_of(entry, reader);
                  });
  std::vector<Statement> statements;
  for (const bool is_core : {true, false}) {
    for (const auto& [name, content] : files) {
      if ((name.substr(0, name.find('.')) == "sbom") == is_core)
        statements.push_back(statement_of(name, content, is_core, layers, tool));
    }
  }
  return statements;
}

}  // namespace attest
