// What a request means for the parts of a build.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/document/request.hpp"
#include "common/layer/pack.hpp"
#include "common/plan/lower.hpp"

namespace native {

// `fetched` is the context where that is a URL.
plan::Inputs plan_inputs(const document::Request& request, std::optional<std::int64_t> epoch,
                         const std::optional<plan::Fetched>& fetched = std::nullopt);

// The task's proxies, then those given as build args, in both cases.
std::map<std::string, std::string> proxies_of(const document::Request& request);

layer::PackOptions pack_options(const document::Request& request, std::optional<std::int64_t> epoch);

}  // namespace native
