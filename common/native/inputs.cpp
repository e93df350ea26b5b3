// From the fields of a request to the words of plan, layer and sandbox.
#include "common/native/inputs.hpp"

#include <algorithm>
#include <cstdlib>

#include "common/dockerfile/scope.hpp"
#include "common/engine/multi_platform.hpp"
#include "common/engine/preloads.hpp"
#include "common/native/epoch.hpp"
#include "common/util/characters.hpp"

namespace native {
namespace {

std::string value_of(const std::map<std::string, std::string>& args, const std::string& name) {
  const auto found = args.find(name);
  return found == args.end() ? "" : found->second;
}

}  // namespace

plan::Inputs plan_inputs(const document::Request& request, std::optional<std::int64_t> epoch,
                         const std::optional<plan::Fetched>& fetched) {
  plan::Inputs inputs;
  inputs.context = request.context;
  inputs.dockerfile = request.dockerfile;
  inputs.fetched = fetched;
  for (const auto& target : request.targets)
    inputs.targets.push_back(target.name);
  inputs.platforms = request.platforms;
  inputs.names_platforms = engine::is_multi_platform(request);
  for (const auto& [name, value] : request.build_args)
    inputs.build_args[name] = value;
  if (given_epoch(request)) {
    inputs.build_args.erase("SOURCE_DATE_EPOCH");
    if (epoch) inputs.build_args["SOURCE_DATE_EPOCH"] = std::to_string(*epoch);
  }
  const auto images = engine::name_preloads(request.preloads);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto& preload = request.preloads[i];
    if (preload.role == document::Preload::Role::build_arg)
      inputs.build_args[preload.name] = images[i].reference;
  }
  for (const auto& [name, value] : request.labels)
    inputs.labels[name] = value;
  for (const auto& context : request.contexts)
    inputs.directories[context.name] = context.directory;
  inputs.hostname = value_of(inputs.build_args, "BUILDKIT_SANDBOX_HOSTNAME");
  inputs.cache_namespace = value_of(inputs.build_args, "BUILDKIT_CACHE_MOUNT_NS");
  inputs.no_cache = request.no_cache;
  inputs.no_cache_stages = request.no_cache_stages;
  return inputs;
}

std::map<std::string, std::string> proxies_of(const document::Request& request) {
  std::map<std::string, std::string> values;
  for (const auto& name : request.proxies) {
    if (const char* value = std::getenv(name.c_str())) values[name] = value;
  }
  for (const auto& [name, value] : request.build_args)
    values[name] = value;
  std::map<std::string, std::string> proxies;
  for (const auto& [name, value] : dockerfile::proxy_settings(values)) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(), util::to_lower);
    proxies[name] = value;
    proxies[lower] = value;
  }
  return proxies;
}

layer::PackOptions pack_options(const document::Request& request, std::optional<std::int64_t> epoch) {
  layer::PackOptions options;
  switch (request.output.compression.value_or(document::Compression::gzip)) {
    case document::Compression::gzip:
      options.compressor = stream::Compressor::gzip;
      break;
    case document::Compression::zstd:
      options.compressor = stream::Compressor::zstd;
      break;
    case document::Compression::none:
      options.compressor = stream::Compressor::none;
      break;
  }
  if (request.output.compression_level)
    options.compression_level = static_cast<int>(*request.output.compression_level);
  if (request.output.rewrite_timestamp) options.newest_mtime = epoch;
  return options;
}

}  // namespace native
